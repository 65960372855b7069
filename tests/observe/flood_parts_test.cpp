// SPDX-License-Identifier: Apache-2.0
// The flood detector's parts, each alone.
#include <gtest/gtest.h>

#include <vector>

#include "estab/base/known_prefixes.hpp"
#include "estab/base/random.hpp"
#include "estab/observe/failure_spread.hpp"
#include "estab/observe/flood_arms.hpp"
#include "estab/observe/handshake.hpp"
#include "estab/observe/hyperloglog.hpp"

namespace estab::observe {
namespace {

Address v4(std::uint32_t bits) { return Address::v4(bits); }
Address v6(std::string_view text) { return *Address::parse(text); }

TEST(HandshakeStepNames, AreReadAsTheyAreWritten) {
  for (unsigned i = 0; i <= unsigned(HandshakeStep::left); ++i)
    EXPECT_EQ(parse_handshake_step(to_string(HandshakeStep(i))), HandshakeStep(i));
  EXPECT_EQ(parse_handshake_step("syn "), std::nullopt);
}

TEST(HyperLogLogCount, IsWithinFourOfItsStandardErrorsFromTenToAMillion) {
  Random random{1};
  HyperLogLog count;
  unsigned seen = 0;
  EXPECT_EQ(count.estimate(), 0);
  for (const unsigned n : {10u, 100u, 1000u, 10'000u, 100'000u, 1'000'000u}) {
    for (; seen < n; ++seen) count.add(random());
    EXPECT_NEAR(count.estimate(), n, 4 * 0.065 * n) << n;
  }
}

TEST(HyperLogLogCount, TakesAThingSeenTwiceForOneAndMergesIntoTheUnion) {
  HyperLogLog a, b, both;
  Random random{2};
  for (int i = 0; i < 3000; ++i) {
    const auto hash = random();
    (i < 2000 ? a : b).add(hash);
    if (i % 2) b.add(hash);
    both.add(hash), both.add(hash);
  }
  a.merge(b);
  EXPECT_EQ(a.estimate(), both.estimate());
}

TEST(KnownPrefix, IsTheNetworkAndNotTheHost) {
  KnownPrefixes known{{1, 2}};
  known.add(v4(0xc0000207), Instant{});
  EXPECT_TRUE(known.contains(v4(0xc00002ff)));
  EXPECT_FALSE(known.contains(v4(0xc0000307)));
  known.add(v6("2001:db8:1:22ff::1"), Instant{});
  EXPECT_TRUE(known.contains(v6("2001:db8:1:2200::9")));
  EXPECT_FALSE(known.contains(v6("2001:db8:1:2300::1")));
}

TEST(KnownPrefix, IsKnownForADayAndForgottenAfterTwo) {
  KnownPrefixes known{{1, 2}};
  known.add(v4(0x01010100), Instant{});
  known.add(v4(0x02020200), Instant{25h});
  EXPECT_TRUE(known.contains(v4(0x01010100))) << "the old filter has it";
  known.add(v4(0x03030300), Instant{50h});
  EXPECT_FALSE(known.contains(v4(0x01010100)));
  EXPECT_TRUE(known.contains(v4(0x02020200)));
  known.add(v4(0x04040400), Instant{200h});
  EXPECT_FALSE(known.contains(v4(0x03030300))) << "150 hours old";
}

TEST(KnownPrefix, IsTakenForOneByMistakeAtMostOnceInSixty) {
  KnownPrefixes known{{3, 4}};
  Random random{5};
  for (int i = 0; i < 200'000; ++i) known.add(v4(std::uint32_t(random())), Instant{});
  unsigned mistaken = 0;
  for (int i = 0; i < 60'000; ++i)
    mistaken += known.contains(Address::v6(
        {0x20, 1, 13, 0xb8, std::uint8_t(i >> 8), std::uint8_t(i), 1, 0, 0, 0, 0, 0, 0, 0, 0, 0}));
  EXPECT_LE(mistaken, 1100u);
}

TEST(FailureArmA, RaisesTheAlarmWhenFailuresOutweighCompletionsAndClearsAfterFiveCalmCohorts) {
  FailureArm arm{{}};
  for (int i = 0; i < 30; ++i) arm.cohort(3, 100, 10);
  EXPECT_NEAR(arm.usual_completed(), 100, 1e-6);
  arm.cohort(100, 100, 10);
  EXPECT_FALSE(arm.alarm());
  arm.cohort(100, 100, 10);
  EXPECT_TRUE(arm.alarm());
  EXPECT_NEAR(arm.usual_completed(), 100, 1e-6);
  for (int i = 0; i < 4; ++i) {
    arm.cohort(3, 100, 10);
    EXPECT_TRUE(arm.alarm());
  }
  arm.cohort(3, 100, 10);
  EXPECT_FALSE(arm.alarm());
}

TEST(FailureArmA, IsSilentWhenACrowdTwentyTimesAsLargeCompletes) {
  FailureArm arm{{}};
  for (int i = 0; i < 30; ++i) arm.cohort(3, 100, 10);
  for (int i = 0; i < 60; ++i) {
    arm.cohort(300, 2000, 10);
    EXPECT_FALSE(arm.alarm());
  }
}

TEST(FailureArmA, LearnsNothingFromAnAttack) {
  FailureArm arm{{}};
  for (int i = 0; i < 30; ++i) arm.cohort(3, 100, 10);
  for (int i = 0; i < 100; ++i) arm.cohort(500, 10, 10);
  EXPECT_NEAR(arm.usual_completed(), 100, 1e-6);
}

TEST(FailureArmA, DoesNotMindAFewFailuresOfAnIdleServer) {
  FailureArm arm{{}};
  for (int i = 0; i < 60; ++i) {
    arm.cohort(3, 0, 10);
    EXPECT_FALSE(arm.alarm());
  }
}

TEST(RatioArmB, WarnsOfASmallLastingExcessAndNotOfFewSamples) {
  RatioArm arm{{}}, thin{{}};
  for (int i = 0; i < 30; ++i) arm.cohort(0.03, 1000), thin.cohort(0.03, 1000);
  for (int i = 0; i < 3; ++i) arm.cohort(0.17, 1000), thin.cohort(0.9, 29);
  EXPECT_TRUE(arm.warn());
  EXPECT_FALSE(thin.warn());
  EXPECT_NEAR(arm.usual_share(), 0.03, 1e-9);
}

TEST(ControlArmC, ComparesUnknownSourcesWithKnownOnes) {
  ControlArm flood{{}}, everyday{{}}, alone{{}};
  const Stratum known{85, 3, 400, 14}, people{15, 0.5, 75, 2}, forged{45, 30, 220, 150};
  const Stratum leaving_known{85, 30, 400, 140}, leaving{15, 6, 75, 30};
  for (int i = 0; i < 3; ++i) {
    flood.cohort(known, forged, 100);
    everyday.cohort(leaving_known, leaving, 100);  // More than a third leaves, known or not.
    alone.cohort({}, forged, 100);
  }
  EXPECT_TRUE(flood.alarm());
  EXPECT_FALSE(everyday.alarm());
  EXPECT_FALSE(alone.alarm()) << "there is nobody to compare with";
  for (int i = 0; i < 5; ++i) flood.cohort(known, people, 100);
  EXPECT_FALSE(flood.alarm());
}

std::vector<FailedHandshake> failures(int n, std::uint32_t (*source)(int)) {
  std::vector<FailedHandshake> list;
  for (int i = 0; i < n; ++i) list.push_back({.source = v4(source(i))});
  return list;
}

TEST(Spread, OfNobodyIsZero) { EXPECT_EQ(measure_spread({}).samples, 0u); }

TEST(Spread, OfForgedSourcesIsEven) {
  auto list = failures(1000, [](int i) { return std::uint32_t(i) * 2654435761u; });
  const auto spread = measure_spread(list);
  EXPECT_EQ(spread.sources, 1000u);
  EXPECT_EQ(spread.prefixes, 1000u);
  EXPECT_GT(spread.prefix_entropy, 0.99);
  EXPECT_LT(spread.top_hosts_share, 0.02);
  EXPECT_LT(spread.top_prefix_share, 0.05);
}

TEST(Spread, NamesTheBusiestHostAndCountsWeights) {
  auto list = failures(100, [](int i) { return 0x0a000000u + std::uint32_t(i % 5) * 256; });
  list[0].weight = 50;
  const auto spread = measure_spread(list);
  EXPECT_EQ(spread.top_host, v4(0x0a000000));
  EXPECT_NEAR(spread.top_host_share, 69.0 / 149, 1e-6);
  EXPECT_EQ(spread.top_hosts, 5u);
  EXPECT_NEAR(spread.top_hosts_share, 1, 1e-6);
}

TEST(Spread, OfTwentyStrangersIsNotFewHosts) {
  auto list = failures(20, [](int i) { return std::uint32_t(i + 1) << 24; });
  EXPECT_NEAR(measure_spread(list).top_hosts_share, 0.25, 1e-6);
}

TEST(Spread, FindsTheLongestPrefixThatMostOfThemShare) {
  auto list = failures(200, [](int i) {
    return i % 10 == 0 ? std::uint32_t(i) << 20 : 0xc6336400u + std::uint32_t(i * 5 % 1024);
  });
  const auto spread = measure_spread(list);
  EXPECT_EQ(spread.top_prefix, (Prefix{v4(0xc6336400), 22}));
  EXPECT_NEAR(spread.top_prefix_share, 0.9, 1e-6);
  std::vector<FailedHandshake> six;
  for (int i = 0; i < 64; ++i)
    six.push_back({.source = v6("2001:db8:7:" + std::to_string(i) + "::1")});
  EXPECT_EQ(measure_spread(six).top_prefix, (Prefix{v6("2001:db8:7::"), 48}));
}

TEST(Spread, SharesAreOfWhatFailed) {
  auto list = failures(10, [](int i) { return std::uint32_t(i); });
  list[0].known = list[1].known = list[0].repeated = true;
  const auto spread = measure_spread(list);
  EXPECT_NEAR(spread.known, 0.2, 1e-6);
  EXPECT_NEAR(spread.repeated, 0.1, 1e-6);
}

}  // namespace
}  // namespace estab::observe
