// SPDX-License-Identifier: Apache-2.0
#include "estab/fault/path.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <vector>

namespace estab::fault {
namespace {

// A packet that came out: its number, when, and how many of its bits are not as they went in.
struct Arrival {
  std::uint64_t number;
  Instant at;
  int wrong_bits;
  friend bool operator==(const Arrival&, const Arrival&) = default;
};

class Path {
 public:
  explicit Path(const Impairment& impairment, std::uint64_t stream = 0)
      : path_(impairment, stream) {}

  void push(std::size_t size = 1000) {
    Packet packet = pool_.allocate(size);
    for (auto& octet : packet.linear()) octet = std::byte{0x5a};
    store_be(packet.linear().data(), number_++);
    path_.push(pool_, std::move(packet), now_);
  }
  void push_many(int count, Duration apart = {}) {
    for (int i = 0; i < count; ++i, run_to(now_ + apart)) push();
  }
  // Lets time pass, stopping at each deadline as an event loop would.
  void run_to(Instant until) {
    for (auto next = path_.next_deadline(); next <= until; next = path_.next_deadline()) {
      now_ = std::max(now_, next);
      auto packet = path_.pop(now_);
      ASSERT_TRUE(packet) << "a deadline with nothing to do";
      arrivals_.push_back(read(*packet));
    }
    now_ = until;
    EXPECT_FALSE(path_.pop(now_)) << "something to do without a deadline";
  }
  void drain() {
    run_to(now_ + 1h);
    EXPECT_EQ(path_.waiting(), 0u);
    EXPECT_EQ(path_.next_deadline(), never);
  }

  FaultyPath& path() { return path_; }
  PacketPool& pool() { return pool_; }
  [[nodiscard]] Instant now() const { return now_; }
  [[nodiscard]] const FaultCounters& counters() const { return path_.counters(); }
  [[nodiscard]] const std::vector<Arrival>& arrivals() const { return arrivals_; }
  [[nodiscard]] std::vector<std::uint64_t> numbers() const {
    std::vector<std::uint64_t> all;
    for (const auto& arrival : arrivals_) all.push_back(arrival.number);
    return all;
  }

 private:
  Arrival read(const Packet& packet) const {
    const auto octets = packet.linear();
    int wrong = 0;
    for (const auto octet : octets.subspan(8)) wrong += std::popcount(std::uint8_t(octet) ^ 0x5au);
    return {load_be<std::uint64_t>(octets.data()), now_, wrong};
  }

  PacketPool pool_;
  FaultyPath path_;
  Instant now_{1s};
  std::uint64_t number_ = 0;
  std::vector<Arrival> arrivals_;
};

// Five standard deviations of a binomial count; with a fixed seed it is never crossed by chance.
void expect_rate(std::uint64_t count, int of, double probability) {
  const double expected = of * probability;
  EXPECT_NEAR(double(count), expected, 5 * std::sqrt(expected * (1 - probability)));
}

constexpr int many = 20'000;

TEST(FaultyPath, WithoutImpairmentPacketsPassAtOnceAndInOrder) {
  Path path({});
  path.push_many(100);
  ASSERT_EQ(path.arrivals().size(), 100u);
  for (std::uint64_t i = 0; i < 100; ++i)
    EXPECT_EQ(path.arrivals()[i], (Arrival{i, Instant{1s}, 0}));
  EXPECT_EQ(path.counters(), (FaultCounters{.pushed = 100, .delivered = 100}));
}

TEST(FaultyPath, LosesTheShareAskedForAndCountsEach) {
  Path path({.loss = 0.03});
  path.push_many(many);
  expect_rate(path.counters().lost, many, 0.03);
  EXPECT_EQ(path.arrivals().size(), many - path.counters().lost);
  EXPECT_TRUE(std::ranges::is_sorted(path.numbers()));
}

TEST(FaultyPath, DuplicatesTheShareAskedForEachTwinRightBehind) {
  Path path({.duplicate = 0.02});
  path.push_many(many);
  expect_rate(path.counters().duplicated, many, 0.02);
  EXPECT_EQ(path.arrivals().size(), many + path.counters().duplicated);
  std::uint64_t twins = 0;
  const auto numbers = path.numbers();
  for (std::size_t i = 1; i < numbers.size(); ++i) twins += numbers[i] == numbers[i - 1];
  EXPECT_EQ(twins, path.counters().duplicated);
}

TEST(FaultyPath, CorruptsOneBitOfTheShareAskedFor) {
  Path path({.corrupt = 0.02});
  path.push_many(many);
  expect_rate(path.counters().corrupted, many, 0.02);
  std::uint64_t wrong = 0;
  for (std::size_t i = 0; i < path.arrivals().size(); ++i) {
    const auto& arrival = path.arrivals()[i];
    const int bits = arrival.wrong_bits + std::popcount(arrival.number ^ i);
    EXPECT_LE(bits, 1);
    wrong += std::uint64_t(bits);
  }
  EXPECT_EQ(wrong, path.counters().corrupted);
}

TEST(FaultyPath, CorruptingLeavesSharedBytesWholeAndWithdrawsWhatWasVouchedFor) {
  Path path({.corrupt = 1});
  Packet original = path.pool().allocate(64);
  std::ranges::fill(original.linear(), std::byte{});
  Packet shared = path.pool().share(original, 0, 0, 64);
  shared.offload().checksum = Offload::Checksum::verified;
  path.path().push(path.pool(), std::move(shared), path.now());
  const auto harmed = path.path().pop(path.now());
  ASSERT_TRUE(harmed);
  EXPECT_EQ(harmed->offload().checksum, Offload::Checksum::complete);
  const auto is_zero = [](std::byte octet) { return octet == std::byte{}; };
  EXPECT_FALSE(std::ranges::all_of(harmed->linear(), is_zero));
  EXPECT_TRUE(std::ranges::all_of(original.linear(), is_zero));
}

TEST(FaultyPath, WithoutMemoryForACopyThePacketIsSparedTheHarm) {
  PacketPool pool(600);  // One small packet.
  FaultyPath path({.duplicate = 1, .corrupt = 1});
  path.push(pool, pool.allocate(64), Instant{});
  EXPECT_TRUE(path.pop(Instant{}));
  EXPECT_EQ(path.counters(), (FaultCounters{.pushed = 1, .delivered = 1}));
}

TEST(FaultyPath, AReorderedPacketIsOvertakenByOneToFourLaterOnes) {
  Path path({.reorder = 0.01});
  path.push_many(many, 1us);
  path.drain();
  expect_rate(path.counters().reordered, many, 0.01);
  const auto numbers = path.numbers();
  ASSERT_EQ(numbers.size(), std::size_t(many));
  // Each packet that comes after a higher number was held. Others held meanwhile may lie between.
  std::uint64_t overtaken = 0, highest = 0;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const auto before = std::span{numbers}.first(i).last(std::min<std::size_t>(i, 50));
    const auto later = std::ranges::count_if(before, [&](auto n) { return n > numbers[i]; });
    EXPECT_LE(later, 2 * FaultyPath::most_overtakers);
    overtaken += numbers[i] < highest;
    highest = std::max(highest, numbers[i]);
  }
  EXPECT_EQ(overtaken, path.counters().reordered);
}

TEST(FaultyPath, AReorderedPacketThatNobodyFollowsIsNotHeldForLong) {
  Path path({.reorder = 1, .delay = 20ms});
  for (int i = 0; i < 200; ++i) {
    const auto sent = path.now();
    path.push();
    path.drain();
    const auto took = path.arrivals().back().at - sent;
    EXPECT_GT(took, 20ms);
    EXPECT_LE(took, 20ms + FaultyPath::longest_hold);
  }
}

TEST(FaultyPath, EveryPacketIsDelayed) {
  Path path({.delay = 20ms});
  path.push_many(10, 3ms);
  path.drain();
  for (std::uint64_t i = 0; i < 10; ++i)
    EXPECT_EQ(path.arrivals()[i], (Arrival{i, Instant{1s + i * 3ms + 20ms}, 0}));
}

TEST(FaultyPath, JitterVariesTheDelayBothWaysAndKeepsTheOrder) {
  Path path({.delay = 20ms, .jitter = 5ms});
  path.push_many(1000, 100ms);
  path.drain();
  auto shortest = Duration::max(), longest = Duration{};
  for (const auto& arrival : path.arrivals()) {
    const auto took = arrival.at - Instant{1s + arrival.number * 100ms};
    shortest = std::min(shortest, took), longest = std::max(longest, took);
  }
  EXPECT_GE(shortest, 15ms);
  EXPECT_LT(shortest, 16ms);
  EXPECT_LE(longest, 25ms);
  EXPECT_GT(longest, 24ms);

  Path crowded({.delay = 20ms, .jitter = 20ms});
  crowded.push_many(1000, 10us);
  crowded.drain();
  EXPECT_TRUE(std::ranges::is_sorted(crowded.numbers()));
}

TEST(FaultyPath, TheRateSpacesPackets) {
  Path path({.rate = 8'000'000});  // 1,000 octets a millisecond.
  path.push_many(10);
  path.drain();
  for (std::uint64_t i = 0; i < 10; ++i)
    EXPECT_EQ(path.arrivals()[i], (Arrival{i, Instant{1s + (i + 1) * 1ms}, 0}));
}

TEST(FaultyPath, AFullQueueDropsTheNewcomerAndCountsIt) {
  Path path({.delay = 50ms, .rate = 8'000'000, .queue = 5});
  path.push_many(8);
  EXPECT_EQ(path.counters().overflowed, 3u);
  path.run_to(Instant{1s + 2ms});  // Two have left the queue, though not the path.
  path.push_many(3);
  EXPECT_EQ(path.counters().overflowed, 4u);
  path.drain();
  EXPECT_EQ(path.numbers(), (std::vector<std::uint64_t>{0, 1, 2, 3, 4, 8, 9}));
}

constexpr Impairment everything{.loss = 0.1,
                                .duplicate = 0.1,
                                .corrupt = 0.1,
                                .reorder = 0.2,
                                .delay = 10ms,
                                .jitter = 8ms,
                                .rate = 80'000'000,
                                .queue = 20};

TEST(FaultyPath, NoPacketIsLostWithoutACount) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Impairment impairment = everything;
    impairment.seed = seed;
    Path path(impairment);
    path.push_many(500, 90us);
    const auto balanced = [&] {
      const auto& c = path.counters();
      return c.pushed + c.duplicated == c.lost + c.overflowed + c.delivered + path.path().waiting();
    };
    EXPECT_GT(path.path().waiting(), 0u);
    EXPECT_TRUE(balanced()) << "seed " << seed;
    path.drain();
    EXPECT_TRUE(balanced()) << "seed " << seed;
    EXPECT_EQ(path.arrivals().size(), path.counters().delivered);
    const auto& c = path.counters();
    for (const auto harm : {c.lost, c.duplicated, c.corrupted, c.reordered, c.overflowed})
      EXPECT_GT(harm, 0u) << "seed " << seed;
  }
}

TEST(FaultyPath, TheSameSeedDoesTheSameHarm) {
  const auto run = [](std::uint64_t seed, std::uint64_t stream) {
    Impairment impairment = everything;
    impairment.seed = seed;
    Path path(impairment, stream);
    path.push_many(2000, 90us);
    path.drain();
    return std::pair{path.arrivals(), path.counters()};
  };
  EXPECT_EQ(run(1, 0), run(1, 0));
  EXPECT_NE(run(1, 0), run(2, 0));
  EXPECT_NE(run(1, 0), run(1, 1));
}

}  // namespace
}  // namespace estab::fault
