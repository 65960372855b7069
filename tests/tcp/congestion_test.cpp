// SPDX-License-Identifier: Apache-2.0
// The congestion window under random events beside a simple account of RFC 5681 and RFC 3465.
#include "estab/tcp/congestion.hpp"

#include <array>

#include "tests/seeds.hpp"

namespace estab::tcp {
namespace {

constexpr std::array<std::uint32_t, 5> sizes{48, 536, 1220, 1460, 8960};

struct Sender {
  explicit Sender(Random& r) : random(r), mss(sizes[r.below(sizes.size())]) {
    congestion.open(10 * mss);
  }
  [[nodiscard]] CongestionInput input(std::uint32_t acked, std::uint32_t flight) const {
    return {.acked = acked, .flight = flight, .mss = mss, .srtt = 100ms, .now = Instant{1000s}};
  }
  void ack(std::uint32_t acked) { congestion.on_ack(input(acked, congestion.cwnd())); }
  void lose(std::uint32_t flight) { congestion.on_loss(input(0, flight)); }
  void time_out(std::uint32_t flight, bool first) {
    congestion.on_timeout(input(0, flight), first);
  }

  Random& random;
  std::uint32_t mss;
  Congestion congestion;
};

TEST(Congestion, The_window_is_never_below_one_segment_whatever_happens) {
  for_each_seed(100, [](Random& random) {
    Sender s(random);
    for (int n = 0; n < 1000 && !testing::Test::HasFailure(); ++n) {
      const auto flight = std::uint32_t(random.below(2 * s.congestion.cwnd()));
      switch (random.below(8)) {
        case 0:  s.lose(flight); break;
        case 1:  s.time_out(flight, random.chance(0.5)); break;
        case 2:  s.congestion.on_idle(10 * s.mss); break;
        default: s.ack(between(random, 1, 3 * s.mss)); break;
      }
      EXPECT_GE(s.congestion.cwnd(), s.mss) << "event " << n;
      EXPECT_GE(s.congestion.ssthresh(), 2 * s.mss) << "event " << n;
    }
  });
}

// RFC 5681 §3.1 with RFC 3465 §2.2: by what was acknowledged, at most by two segments an ACK, and
// not past ssthresh.
TEST(Congestion, In_slow_start_the_window_grows_by_what_was_acknowledged) {
  for_each_seed(100, [](Random& random) {
    Sender s(random);
    const auto threshold = (4 + std::uint32_t(random.below(200))) * s.mss;
    s.lose(2 * threshold);
    ASSERT_EQ(s.congestion.ssthresh(), threshold);
    s.congestion.on_idle(s.mss);  // Down to one segment, and ssthresh stays.
    ASSERT_EQ(s.congestion.cwnd(), s.mss);
    std::uint64_t cwnd = s.mss;
    while (cwnd < threshold && !testing::Test::HasFailure()) {
      const auto acked = between(random, 1, 2 * s.mss);
      s.ack(acked);
      cwnd = std::min<std::uint64_t>(cwnd + acked, threshold);
      EXPECT_EQ(s.congestion.cwnd(), cwnd);
      EXPECT_EQ(s.congestion.in_slow_start(), cwnd < threshold);
    }
  });
}

TEST(Congestion, One_ACK_of_very_much_opens_the_window_by_at_most_two_segments) {
  for_each_seed(50, [](Random& random) {
    Sender s(random);
    for (int n = 0; n < 50; ++n) {
      const auto before = s.congestion.cwnd();
      s.ack(between(random, 2 * s.mss, 1000 * s.mss));
      EXPECT_LE(s.congestion.cwnd(), before + 2 * s.mss);
      EXPECT_GT(s.congestion.cwnd(), before);
    }
  });
}

// RFC 5681 §3.1: one segment for each whole window that was acknowledged. From the beginning of
// congestion avoidance on, the k-th growth comes when the sum of the first k windows is reached.
TEST(Congestion, In_avoidance_the_window_grows_by_a_segment_for_each_window_acknowledged) {
  for_each_seed(100, [](Random& random) {
    Sender s(random);
    s.lose((4 + std::uint32_t(random.below(100))) * s.mss);
    std::uint64_t cwnd = s.congestion.cwnd(), acknowledged = 0, next_growth = cwnd;
    ASSERT_EQ(cwnd, s.congestion.ssthresh());
    for (int n = 0; n < 3000 && !testing::Test::HasFailure(); ++n) {
      const auto acked = between(random, 1, 2 * s.mss);
      s.ack(acked);
      acknowledged += acked;
      if (acknowledged >= next_growth) {
        cwnd += s.mss;
        next_growth += cwnd;
      }
      EXPECT_EQ(s.congestion.cwnd(), cwnd) << "after " << acknowledged << " bytes";
    }
  });
}

// RFC 5681 §3.1 (4) and (5).
TEST(Congestion, Loss_halves_the_flight_and_a_timeout_leaves_one_segment) {
  for_each_seed(200, [](Random& random) {
    Sender s(random);
    const auto flight = std::uint32_t(random.below(1000 * s.mss));
    s.lose(flight);
    const auto half = std::max(flight / 2, 2 * s.mss);
    EXPECT_EQ(s.congestion.ssthresh(), half);
    EXPECT_LE(s.congestion.cwnd(), half + 3 * s.mss);  // RFC 5681 §3.2 (3) may inflate it.
    const auto second = std::uint32_t(random.below(1000 * s.mss));
    s.time_out(second, true);
    EXPECT_EQ(s.congestion.ssthresh(), std::max(second / 2, 2 * s.mss));
    EXPECT_EQ(s.congestion.cwnd(), s.mss);
    // The timeouts that follow in a row find less in flight; the threshold stays (§3.1).
    s.time_out(s.mss, false);
    EXPECT_EQ(s.congestion.ssthresh(), std::max(second / 2, 2 * s.mss));
    EXPECT_EQ(s.congestion.cwnd(), s.mss);
  });
}

// RFC 5681 §4.1; ssthresh remembers three quarters of the window (RFC 7661 §4.4.2's reason).
TEST(Congestion, After_idleness_the_window_is_at_most_the_initial_one) {
  for_each_seed(50, [](Random& random) {
    Sender s(random);
    for (auto n = random.below(200); n > 0; --n) s.ack(2 * s.mss);
    const auto before = s.congestion.cwnd();
    s.congestion.on_idle(10 * s.mss);
    EXPECT_EQ(s.congestion.cwnd(), std::min(before, 10 * s.mss));
    EXPECT_GE(s.congestion.ssthresh(), before / 4 * 3);
  });
}

}  // namespace
}  // namespace estab::tcp
