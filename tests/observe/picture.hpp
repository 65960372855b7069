// SPDX-License-Identifier: Apache-2.0
// A ladder's whole picture, to compare with the one in the test.
#pragma once
#include <gtest/gtest.h>

#include <algorithm>

#include "estab/observe/ladder.hpp"
#include "tests/observe/scene.hpp"

namespace estab::test {

class Picture {
 public:
  Picture(observe::Witness witness, const observe::LadderStyle& style)
      : ladder_(style, witness, [this](std::string_view line) { lines_.emplace_back(line); }) {}
  auto end(const Flow& flow) {
    return Witnessed(flow, [this](const Event& e, Bytes b) { ladder_.event(e, b); });
  }
  observe::Ladder& ladder() { return ladder_; }
  [[nodiscard]] const std::vector<std::string>& lines() const { return lines_; }
  // Begins with a line end, so that the expected text may begin on a line of its own.
  std::string text() {
    ladder_.flush();
    std::string all = "\n";
    for (const auto& line : lines_) all += line + "\n";
    return all;
  }

 private:
  std::vector<std::string> lines_;
  observe::Ladder ladder_;
};

// Characters, each of which takes a column.
inline std::size_t width(std::string_view line) {
  return std::size_t(std::ranges::count_if(line, [](char c) { return (c & 0xc0) != 0x80; }));
}

inline Wire with_options(Wire w) {
  w.tcp.options = {
      .mss = 1460, .window_scale = 7, .sack_permitted = true, .timestamps = wire::Timestamps{1, 0}};
  return w;
}

}  // namespace estab::test
