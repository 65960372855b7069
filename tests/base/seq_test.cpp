// SPDX-License-Identifier: Apache-2.0
#include "estab/base/seq.hpp"

#include <gtest/gtest.h>

#include <array>

#include "estab/base/random.hpp"

namespace estab {
namespace {

constexpr std::array<std::uint32_t, 9> origins{
    0, 1, 2, 0x7ffffffe, 0x7fffffff, 0x80000000, 0x80000001, 0xfffffffe, 0xffffffff};
constexpr std::array<std::uint32_t, 8> steps{
    1, 2, 1460, 65535, 1u << 30, (1u << 31) - 2, (1u << 31) - 1, 3};

TEST(Seq, WhatLiesLessThan2To31AheadIsLaterFromEveryOrigin) {
  for (const auto origin : origins)
    for (const auto step : steps) {
      const Seq a{origin}, b = a + step;
      EXPECT_TRUE(a < b && a <= b && b > a && b >= a && a != b) << origin << '+' << step;
      EXPECT_FALSE(b < a || b <= a || a > b || a >= b) << origin << '+' << step;
      EXPECT_EQ(b - a, std::int32_t(step));
      EXPECT_EQ(a - b, -std::int32_t(step));
      EXPECT_EQ(distance(a, b), step);
      EXPECT_EQ(earlier(a, b), a);
      EXPECT_EQ(earlier(b, a), a);
      EXPECT_EQ(later(a, b), b);
      EXPECT_EQ(later(b, a), b);
    }
}

TEST(Seq, EqualNumbersAreNeitherEarlierNorLater) {
  for (const auto origin : origins) {
    const Seq a{origin};
    EXPECT_TRUE(a == a && a <= a && a >= a);
    EXPECT_FALSE(a < a || a > a);
  }
}

TEST(Seq, ComparingDoesNotDependOnWhereTheNumbersLie) {
  Random random{1};
  for (int i = 0; i < 100000; ++i) {
    const Seq a{std::uint32_t(random())}, b{std::uint32_t(random())};
    const auto shift = std::uint32_t(random());
    if (distance(a, b) == 1u << 31) continue;  // Neither before nor behind.
    ASSERT_EQ(a < b, a + shift < b + shift);
    ASSERT_NE(a < b, a >= b);
    ASSERT_EQ(a + distance(a, b), b);
    ASSERT_EQ(a + shift - shift, a);
  }
}

}  // namespace
}  // namespace estab
