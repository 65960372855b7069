// SPDX-License-Identifier: Apache-2.0
// The limits on answers: what each network and all together may have, counted plainly beside them.
#include <map>
#include <vector>

#include "estab/stack/prefix_meter.hpp"
#include "estab/stack/token_bucket.hpp"
#include "tests/seeds.hpp"

namespace estab {
namespace {

constexpr std::uint32_t limit = 50;

// A network's keyed hash.
std::uint64_t network(Random& random) { return random(); }

// The answers to one network, at any time, within any one second: a limit that is counted from
// second to second lets at most two shares meet.
class Counted {
 public:
  void add(std::uint64_t who, Instant now) { taken_[who].push_back(now); }
  [[nodiscard]] std::size_t most_within_a_second(std::uint64_t who) const {
    const auto found = taken_.find(who);
    if (found == taken_.end()) return 0;
    std::size_t most = 0, first = 0;
    const auto& times = found->second;
    for (std::size_t last = 0; last < times.size(); ++last) {
      while (times[last] - times[first] >= 1s) ++first;
      most = std::max(most, last + 1 - first);
    }
    return most;
  }

 private:
  std::map<std::uint64_t, std::vector<Instant>> taken_;
};

TEST(PrefixMeter, A_network_alone_gets_its_whole_limit_and_no_more) {
  for_each_seed(50, [](Random& random) {
    PrefixMeter meter(limit);
    const auto who = network(random);
    Instant now{Duration(1000s) + Duration(random.below(1'000'000'000))};
    Counted counted;
    std::uint32_t in_first_instant = 0;
    for (int n = 0; n < 300; ++n)
      if (meter.take(who, now)) ++in_first_instant, counted.add(who, now);
    EXPECT_EQ(in_first_instant, limit);
    for (int n = 0; n < 5000; ++n) {
      now += Duration(random.below(2'000'000));
      if (meter.take(who, now)) counted.add(who, now);
    }
    EXPECT_LE(counted.most_within_a_second(who), 2 * limit);
  });
}

// The sketch may take one network for another, and then counts too much, never too little.
void share_among_many(Random& random, double given_back) {
  PrefixMeter meter(limit);
  std::vector<std::uint64_t> networks(200);
  for (auto& n : networks) n = network(random);
  const Instant now{1000s};  // All in one second.
  std::map<std::uint64_t, std::uint32_t> taken;
  std::uint32_t total = 0;
  for (int n = 0; n < 40'000; ++n) {
    // Some networks ask much more often than others.
    const auto pick = random.below(networks.size());
    const auto who = networks[random.below(pick + 1)];
    if (meter.take(who, now)) ++taken[who], ++total;
    if (random.chance(given_back) && taken[who] > 0)
      meter.give_back(who, now), --taken[who], --total;
  }
  for (const auto& [who, count] : taken) EXPECT_LE(count, limit + total / 4096 + 1);
}

TEST(PrefixMeter, Never_gives_a_network_more_than_its_limit_however_many_others_there_are) {
  for_each_seed(20, [](Random& random) { share_among_many(random, 0); });
}

TEST(PrefixMeter, Gives_nobody_more_because_others_give_back) {
  for_each_seed(20, [](Random& random) { share_among_many(random, 0.05); });
}

TEST(PrefixMeter, A_flood_to_everywhere_leaves_a_newcomer_nearly_its_limit) {
  for_each_seed(10, [](Random& random) {
    PrefixMeter meter(limit);
    const Instant now{1000s};
    for (int n = 0; n < 100'000; ++n) (void)meter.take(network(random), now);
    const auto who = network(random);
    std::uint32_t got = 0;
    for (std::uint32_t n = 0; n < 2 * limit; ++n) got += meter.take(who, now);
    EXPECT_GE(got, limit / 2);
  });
}

TEST(PrefixMeter, What_is_given_back_may_be_taken_again) {
  PrefixMeter meter(limit);
  const Instant now{1000s};
  for (std::uint32_t n = 0; n < limit; ++n) ASSERT_TRUE(meter.take(7, now));
  ASSERT_FALSE(meter.take(7, now));
  meter.give_back(7, now);
  EXPECT_TRUE(meter.take(7, now));
  EXPECT_FALSE(meter.take(7, now));
  // More given back than taken is no credit.
  PrefixMeter other(limit);
  for (int n = 0; n < 10; ++n) other.give_back(7, now);
  std::uint32_t got = 0;
  for (std::uint32_t n = 0; n < 2 * limit; ++n) got += other.take(7, now);
  EXPECT_EQ(got, limit);
}

TEST(TokenBucket, Gives_between_four_fifths_of_its_rate_and_its_rate_a_second) {
  for_each_seed(50, [](Random& random) {
    const auto rate = between(random, 1, 2000);
    TokenBucket bucket(rate, random());
    Instant now{1000s};
    std::uint64_t total = 0;
    constexpr int seconds = 20;
    // Ten times as many ask as there are tokens, at even distances.
    const Duration step = Duration(1s) / (10 * rate);
    const Instant end = now + 1s * seconds;
    for (; now < end; now += step) total += bucket.take(now);
    EXPECT_LE(total, std::uint64_t{rate} * (seconds + 1));
    EXPECT_GE(total, std::uint64_t{rate} * (seconds - 1) * 4 / 5);
  });
}

TEST(TokenBucket, No_second_sees_more_than_two_bursts) {
  for_each_seed(50, [](Random& random) {
    const auto rate = between(random, 1, 500);
    TokenBucket bucket(rate, random());
    Counted counted;
    Instant now{1000s};
    for (int n = 0; n < 5000; ++n) {
      if (bucket.take(now)) counted.add(0, now);
      if (random.chance(0.1)) now += Duration(random.below(300'000'000));
    }
    EXPECT_LE(counted.most_within_a_second(0), 2 * rate);
  });
}

}  // namespace
}  // namespace estab
