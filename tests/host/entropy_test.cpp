// SPDX-License-Identifier: Apache-2.0
#include "estab/host/entropy.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <vector>

#include "estab/base/siphash.hpp"

namespace estab::host {
namespace {

TEST(Entropy, FillsAllOfItAndNeverTwiceTheSame) {
  std::vector<std::byte> first(100'000), second(100'000);  // More than one getrandom may give.
  fill_random(first);
  fill_random(second);
  EXPECT_NE(first, second);
  for (std::size_t at = 0; at < first.size(); at += 1000) {
    const auto part = std::span{first}.subspan(at, 1000);
    EXPECT_TRUE(std::ranges::any_of(part, [](std::byte b) { return b != std::byte{}; })) << at;
  }
}

struct Keys {
  HashKey one, two;
  friend bool operator==(const Keys&, const Keys&) = default;
};

TEST(Entropy, DrawsAStructOfKeys) {
  const auto keys = draw_random<Keys>();
  EXPECT_NE(keys.one, keys.two);
  EXPECT_NE(keys, draw_random<Keys>());
}

}  // namespace
}  // namespace estab::host
