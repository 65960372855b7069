// SPDX-License-Identifier: Apache-2.0
#include "estab/cli/ss_watch.hpp"

#include <gtest/gtest.h>

namespace estab::cli {
namespace {

using Lines = std::vector<std::string>;

const SsFrame frame{.table = "State\none\ntwo\nthree\nfour\n", .closing = "\n:80\nAll\n"};

TEST(FitFrame, WhatFitsIsWhole) {
  EXPECT_EQ(fit_frame(frame, "now", 80, 24),
            (Lines{"now", "State", "one", "two", "three", "four", "", ":80", "All"}));
  EXPECT_EQ(fit_frame(frame, "now", 80, 9).size(), 9u);
}

TEST(FitFrame, TheTablesEndIsLeftOutAndThatIsSaid) {
  EXPECT_EQ(fit_frame(frame, "now", 80, 8),
            (Lines{"now", "State", "one", "two", "... and 2 lines more", "", ":80", "All"}));
}

TEST(FitFrame, ALongClosingLeavesHalfToTheTable) {
  EXPECT_EQ(fit_frame(frame, "now", 80, 4), (Lines{"now", "... and 5 lines more", ":80", "All"}));
}

TEST(FitFrame, NeverHasMoreLinesOrColumnsThanTheTerminal) {
  for (unsigned height = 1; height < 12; ++height)
    for (unsigned width = 1; width < 12; ++width) {
      const auto lines = fit_frame(frame, "a title that is long", width, height);
      EXPECT_LE(lines.size(), height);
      for (const auto& line : lines) EXPECT_LE(line.size(), width);
    }
}

TEST(FitFrame, ATabTakesTheColumnsUpToItsStop) {
  EXPECT_EQ(fit_frame({.table = "\tcwnd:10\nab\tc\n", .closing = {}}, "now", 10, 5),
            (Lines{"now", "        cw", "ab      c"}));
}

}  // namespace
}  // namespace estab::cli
