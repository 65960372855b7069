// SPDX-License-Identifier: Apache-2.0
// A handshake that a board has seen, as a ladder: the client on the left, whose states follow from
// what it sent, the listener on the right.
#pragma once
#include "estab/cli/canvas.hpp"
#include "estab/observe/handshake_board.hpp"

namespace estab::cli {

// Lines that it takes, whole, where it has this width; below: the narrowest that it has.
[[nodiscard]] unsigned ladder_height(const observe::SeenHandshake& handshake);
inline constexpr unsigned least_ladder_width = 39;

// A heading, the ladder, and what became of it. What is too long is left out in the middle. `good`:
// it completed; where none is there, that is said. Colour: into the page's cells, whatever is
// shown.
void draw_ladder(const Pane& pane, const observe::ListenerPicture& picture, bool good);

}  // namespace estab::cli
