// SPDX-License-Identifier: Apache-2.0
#include "estab/base/random.hpp"

#include <gtest/gtest.h>

#include <array>

namespace estab {
namespace {

TEST(Random, OneSeedGivesOneSequence) {
  Random a{42}, b{42}, c{43};
  bool differs = false;
  for (int i = 0; i < 1000; ++i) {
    const auto value = a();
    ASSERT_EQ(value, b());
    differs |= value != c();
  }
  EXPECT_TRUE(differs);
}

// A change of the generator would make every printed seed worthless.
TEST(Random, TheSequenceOfASeedIsTheSameForEver) {
  Random random{1};
  constexpr std::array<std::uint64_t, 3> first{0xb3f2af6d0fc710c5, 0x853b559647364cea,
                                               0x92f89756082a4514};
  for (const auto value : first) EXPECT_EQ(random(), value);
}

TEST(Random, BelowIsUniformAndNeverReachesItsBound) {
  Random random{7};
  std::array<int, 10> seen{};
  for (int i = 0; i < 100000; ++i) {
    const auto value = random.below(10);
    ASSERT_LT(value, 10u);
    ++seen[value];
  }
  for (const int n : seen) EXPECT_NEAR(n, 10000, 500);  // Five standard deviations.
  for (int i = 0; i < 100; ++i) EXPECT_EQ(random.below(1), 0u);
}

TEST(Random, AChanceIsTakenAsOftenAsItSays) {
  Random random{8};
  int taken = 0;
  for (int i = 0; i < 100000; ++i) {
    const double unit = random.unit();
    ASSERT_GE(unit, 0.0);
    ASSERT_LT(unit, 1.0);
    taken += random.chance(0.05);
    ASSERT_FALSE(random.chance(0.0));
    ASSERT_TRUE(random.chance(1.0));
  }
  EXPECT_NEAR(taken, 5000, 350);
}

}  // namespace
}  // namespace estab
