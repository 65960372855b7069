// SPDX-License-Identifier: Apache-2.0
// The page of estab watch, laid out for a size: nothing here knows a terminal, a clock or a source.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "estab/observe/handshake_board.hpp"

namespace estab::cli {

// What the page tells.
struct WatchScene {
  std::vector<observe::ListenerPicture> pictures;
  std::string source;
  std::vector<std::string> notes;
  Endpoint selected;                // If it is not among the pictures, the first is shown.
  std::optional<Duration> elapsed;  // By the source's clock.
  std::string state;                // "paused", "2x", "ended"; empty: it just runs.
  bool keys = false;                // There is a keyboard: a last line says which keys do what.
  bool help = false;                // Says so at length, over the page.
  bool plays = false;               // A capture, whose speed can be set.
};

struct WatchStyle {
  unsigned width = 80, height = 24;
  bool utf8 = true;
  bool colour = false;  // SGR sequences.
};

// At most `height` lines of at most `width` columns. What finds no room is named in a note.
[[nodiscard]] std::vector<std::string> watch_screen(const WatchScene& scene,
                                                    const WatchStyle& style);

// The place of the selected listener among the pictures, or 0.
[[nodiscard]] std::size_t selected_place(const WatchScene& scene);

}  // namespace estab::cli
