// SPDX-License-Identifier: Apache-2.0
#include "estab/cli/ss_layout.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace estab::cli {

std::string ss_layout(const std::vector<SsRow>& rows, bool header) {
  const decltype(SsRow::cells) headings{
      "State", "Recv-Q", "Send-Q", "Local Address:Port", "Peer Address:Port", "Process"};
  std::array<std::size_t, headings.size()> width;
  for (std::size_t i = 0; i < width.size(); ++i) {
    width[i] = headings[i].size();
    for (const auto& row : rows) width[i] = std::max(width[i], row.cells[i].size());
  }
  std::string out;
  const auto print = [&](const auto& cells) {
    out += fmt::format("{:<{}} {:<{}} {:<{}} {:>{}} {:>{}}", cells[0], width[0], cells[1], width[1],
                       cells[2], width[2], cells[3], width[3], cells[4], width[4]);
    out += cells[5].empty() ? "\n" : " " + cells[5] + "\n";
  };
  if (header) print(headings);
  for (const auto& row : rows) {
    print(row.cells);
    if (!row.details.empty()) out += "\t" + row.details + "\n";
  }
  return out;
}

}  // namespace estab::cli
