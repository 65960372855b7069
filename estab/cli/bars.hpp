// SPDX-License-Identifier: Apache-2.0
// Bars and columns of eighths of a cell; in ASCII, of characters that look more or less full.
#pragma once
#include "estab/cli/canvas.hpp"

namespace estab::cli {

// `share`, 0 to 1, of `width` columns, from the left. More than nothing shows.
[[nodiscard]] std::string level_bar(double share, unsigned width, bool utf8);
// `share` of the pane's height, from below, `width` columns wide.
void draw_column(const Pane& pane, unsigned x, unsigned width, double share, Ink ink);
// The same with the number on its top, as wide as the pane but for a gap.
void draw_counted_column(const Pane& pane, std::uint64_t count, double share, Ink ink);

}  // namespace estab::cli
