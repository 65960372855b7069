// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <string>
#include <vector>

namespace estab::cli {

// A socket as ss shows it: state, Recv-Q, Send-Q, local end, remote end, process.
struct SsRow {
  std::array<std::string, 6> cells;
  std::string details;  // A line below it; empty: none.
};

// The rows under ss's headings, each column as wide as it must be. Ends are printed right-aligned,
// so that ports stand below each other.
[[nodiscard]] std::string ss_layout(const std::vector<SsRow>& rows, bool header);

}  // namespace estab::cli
