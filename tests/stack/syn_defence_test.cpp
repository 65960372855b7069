// SPDX-License-Identifier: Apache-2.0
// A listener's mode under random SYNs, completions and occupation.
#include "estab/stack/syn_defence.hpp"

#include "tests/seeds.hpp"

namespace estab {
namespace {

constexpr std::uint32_t records = 1024;

// Nothing but the steps that the header names: a quarter and three quarters of the records, a rate
// of SYNs, a record that would have to go, a hold that runs out.
TEST(SynDefence, Changes_its_mode_only_for_a_reason_that_it_names) {
  for_each_seed(100, [](Random& random) {
    tcp::Config config;
    config.syn_rate_floor = 20;
    SynDefence defence(random());
    Instant now{1000s};
    for (int n = 0; n < 3000 && !testing::Test::HasFailure(); ++n) {
      const auto before = defence.mode();
      const auto leaves_at = defence.leaves_at();
      const auto lot = random.below(100);
      if (lot < 40) {
        now += Duration(random.below(random.chance(0.01) ? 60'000'000'000 : 20'000'000));
        defence.update(now);
        if (defence.mode() != before) {
          EXPECT_EQ(before, SynMode::stateless);
          EXPECT_EQ(defence.mode(), SynMode::normal);
          EXPECT_LE(leaves_at, now);
        } else {
          EXPECT_GT(defence.leaves_at(), now) << "its hold has run out";
        }
      } else if (lot < 60) {
        defence.syn(config, now);
        EXPECT_TRUE(defence.mode() == before || defence.mode() == SynMode::stateless);
      } else if (lot < 80) {
        defence.completed(now);
        EXPECT_EQ(defence.mode(), before);
      } else if (lot < 99) {
        const auto used = std::uint32_t(random.below(records + 1));
        defence.occupied(used, records, now);
        EXPECT_EQ(defence.mode(), before == SynMode::stateless ? before
                                  : 4 * used < records         ? SynMode::normal
                                  : 4 * used >= 3 * records    ? SynMode::pressure
                                                               : before);
      } else {
        defence.crowded_out(now);
        EXPECT_EQ(defence.mode(), SynMode::stateless);
      }
      if (defence.mode() != before) { EXPECT_EQ(defence.since(), now); }
      if (defence.mode() != SynMode::stateless) { EXPECT_EQ(defence.leaves_at(), never); }
      if (defence.leaves_at() != never) { EXPECT_LE(defence.leaves_at(), now + 480s + 30s); }
    }
  });
}

TEST(SynDefence, Holds_STATELESS_for_half_a_minute_of_calm_and_twice_as_long_each_time_again) {
  for_each_seed(20, [](Random& random) {
    SynDefence defence(random());
    Instant now{1000s};
    for (Duration hold = 30s; hold <= 480s; hold *= 2) {
      defence.crowded_out(now);
      ASSERT_EQ(defence.mode(), SynMode::stateless);
      EXPECT_GE(defence.leaves_at(), now + hold);
      EXPECT_LE(defence.leaves_at(), now + hold + 30s);
      now = defence.leaves_at() - 1ns;
      defence.update(now);
      EXPECT_EQ(defence.mode(), SynMode::stateless);
      now += 1ns;
      defence.update(now);
      ASSERT_EQ(defence.mode(), SynMode::normal);
      now += 1s;
    }
    now += 601s;  // After ten minutes of peace a flood is a first one again.
    defence.crowded_out(now);
    EXPECT_LE(defence.leaves_at(), now + 60s);
  });
}

TEST(SynDefence, Does_not_leave_STATELESS_while_a_quarter_of_the_records_are_in_use) {
  SynDefence defence(1);
  Instant now{1000s};
  defence.crowded_out(now);
  defence.occupied(records / 4, records, now);
  EXPECT_EQ(defence.leaves_at(), never);
  now += 10'000s;
  defence.update(now);
  EXPECT_EQ(defence.mode(), SynMode::stateless);
  defence.occupied(records / 4 - 1, records, now);
  EXPECT_GE(defence.leaves_at(), now + 30s) << "the hold begins with the calm";
}

TEST(SynDefence, SYNs_above_four_times_the_usual_number_are_a_flood_and_up_to_it_are_none) {
  for_each_seed(50, [](Random& random) {
    tcp::Config config;
    config.syn_rate_floor = between(random, 1, 300);
    SynDefence defence(random());
    Instant now{1000s};
    // A minute in which completions go along with the SYNs: a crowd.
    const auto rate = between(random, 1, 600);
    for (int second = 0; second < 60; ++second) {
      now += 1s;
      for (std::uint32_t n = 0; n < rate; ++n) defence.syn(config, now), defence.completed(now);
      if (rate <= 4 * config.syn_rate_floor) { ASSERT_EQ(defence.mode(), SynMode::normal); }
    }
    // Two empty seconds, so that only the usual number counts; then SYNs alone.
    now += 3s;
    const auto most = 4 * config.syn_rate_floor;
    for (std::uint32_t n = 0; n < most; ++n) {
      ASSERT_EQ(defence.mode(), rate <= most ? SynMode::normal : defence.mode());
      defence.syn(config, now);
    }
    for (std::uint32_t n = 0; n < 4 * std::max(rate, config.syn_rate_floor) + 1; ++n)
      defence.syn(config, now);
    EXPECT_EQ(defence.mode(), SynMode::stateless);
  });
}

}  // namespace
}  // namespace estab
