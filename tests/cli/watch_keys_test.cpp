// SPDX-License-Identifier: Apache-2.0
#include "estab/cli/watch_keys.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace estab::cli {
namespace {

using enum WatchKey;
using Pressed = std::vector<WatchKey>;

Pressed read(WatchKeys& keys, std::string_view typed) {
  Pressed pressed;
  for (const char octet : typed)
    if (const auto key = keys.take(octet)) pressed.push_back(*key);
  return pressed;
}
Pressed read(std::string_view typed) {
  WatchKeys keys;
  return read(keys, typed);
}

TEST(WatchKeys, LettersAndArrowsMean) {
  EXPECT_EQ(read("jk\t +-?q"), (Pressed{down, up, down, pause, faster, slower, help, quit}));
  EXPECT_EQ(read("\033[A\033[B\033OA\033OB\033[Z"), (Pressed{up, down, up, down, up}));
}

TEST(WatchKeys, ASequenceMayComeInPieces) {
  WatchKeys keys;
  EXPECT_EQ(read(keys, "\033"), Pressed{});
  EXPECT_TRUE(keys.waits());
  EXPECT_EQ(read(keys, "["), Pressed{});
  EXPECT_FALSE(keys.waits());
  EXPECT_EQ(read(keys, "B"), Pressed{down});
}

TEST(WatchKeys, EscapeAloneQuitsOnceNothingFollows) {
  WatchKeys keys;
  EXPECT_EQ(read(keys, "\033"), Pressed{});
  EXPECT_EQ(keys.time_out(), quit);
  EXPECT_EQ(keys.time_out(), std::nullopt);
  EXPECT_EQ(read("\033\033"), Pressed{quit});
}

TEST(WatchKeys, WhatMeansNothingIsPassedOver) {
  EXPECT_EQ(read("xyz\xc3\xa4\r\n"), Pressed{});
  EXPECT_EQ(read("\033[15~j"), Pressed{down}) << "F5";
  EXPECT_EQ(read("\033[1;5Aj"), (Pressed{up, down})) << "Ctrl-Up";
  EXPECT_EQ(read("\033[<0;33;21Mj"), Pressed{down}) << "a mouse";
  EXPECT_EQ(read("\033xj"), Pressed{down}) << "Alt-x";
}

TEST(WatchKeys, AnUnfinishedSequenceIsForgottenInTime) {
  WatchKeys keys;
  EXPECT_EQ(read(keys, "\033["), Pressed{});
  EXPECT_EQ(keys.time_out(), std::nullopt);
  EXPECT_EQ(read(keys, "j"), Pressed{down});
}

}  // namespace
}  // namespace estab::cli
