// SPDX-License-Identifier: Apache-2.0
#include "estab/cli/bars.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "estab/cli/watch_parts.hpp"

namespace estab::cli {
namespace {

using Eighths = std::array<std::string_view, 9>;
constexpr Eighths upwards{" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
constexpr Eighths rightwards{" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"};
constexpr Eighths ascii_upwards{" ", ".", ".", ":", "-", "=", "+", "*", "#"};
constexpr Eighths ascii_rightwards{" ", " ", " ", " ", "#", "#", "#", "#", "#"};

unsigned eighths_of(double share, unsigned cells) {
  if (share <= 0 || cells == 0) return 0;
  return std::clamp(unsigned(std::lround(share * cells * 8)), 1u, cells * 8);
}

}  // namespace

std::string level_bar(double share, unsigned width, bool utf8) {
  std::string bar;
  auto left = eighths_of(share, width);
  if (!utf8 && left > 0) left = std::max(left, 8u);
  for (; left > 0; left -= std::min(left, 8u))
    bar += (utf8 ? rightwards : ascii_rightwards)[std::min(left, 8u)];
  while (bar.ends_with(' ')) bar.pop_back();
  return bar;
}

void draw_column(const Pane& pane, unsigned x, unsigned width, double share, Ink ink) {
  auto left = eighths_of(share, pane.height());
  for (unsigned y = pane.height(); y-- > 0 && left > 0; left -= std::min(left, 8u))
    for (unsigned i = 0; i < width; ++i)
      pane.put(x + i, y, (pane.utf8() ? upwards : ascii_upwards)[std::min(left, 8u)], ink);
}

void draw_counted_column(const Pane& pane, std::uint64_t count, double share, Ink ink) {
  if (count == 0 || pane.height() == 0) return;
  const auto width = pane.width() - (pane.width() > 3);
  if (pane.height() > 1) draw_column(pane.rows(1, pane.height()), 0, width, share, ink);
  const unsigned rows = pane.height() - 1;
  const auto top = rows - std::min(rows, (eighths_of(share, rows) + 7) / 8);
  pane.put(0, top, short_count(count, width));
}

}  // namespace estab::cli
