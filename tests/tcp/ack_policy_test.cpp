// SPDX-License-Identifier: Apache-2.0
// When an ACK is due, without a connection: RFC 9293 §3.8.6.3, RFC 5681 §4.2, and Linux's choices.
#include "estab/tcp/ack_policy.hpp"

#include <gtest/gtest.h>

namespace estab::tcp {
namespace {

constexpr AckPolicy::Limits limits{
    .least = 40ms, .most = 200ms, .srtt = 500ms, .rto = 1s, .quick = 16};

class Arrivals {
 public:
  // After `gap`, data of 100 bytes come; whether their ACK is owed at once.
  bool come(Duration gap, std::uint32_t bytes = 100) {
    now_ += gap;
    policy.data_arrived(now_, bytes, limits);
    const bool at_once = policy.at_once(1460);
    if (at_once) policy.acknowledged();
    return at_once;
  }
  // The program answers after so long.
  void answer(Duration after) {
    now_ += after;
    policy.data_sent(now_);
    policy.acknowledged();
  }
  AckPolicy policy;

 private:
  Instant now_ = Instant{} + 1000s;
};

TEST(AckPolicy, The_first_16_segments_are_acknowledged_at_once) {
  Arrivals a;
  for (int i = 0; i < 16; ++i) EXPECT_TRUE(a.come(60ms)) << i;
  EXPECT_FALSE(a.come(60ms));
}

TEST(AckPolicy, What_the_program_says_before_any_data_came_is_no_answer) {
  Arrivals a;
  a.answer(1ms);
  for (int i = 0; i < 16; ++i) EXPECT_TRUE(a.come(60ms)) << i;
}

TEST(AckPolicy, What_the_program_says_half_a_second_later_is_no_answer) {
  Arrivals a;
  EXPECT_TRUE(a.come(60ms));
  a.answer(500ms);
  EXPECT_TRUE(a.come(60ms));
}

TEST(AckPolicy, An_answer_makes_ACKs_wait_for_the_next_one_until_it_does_not_come) {
  Arrivals a;
  EXPECT_TRUE(a.come(60ms));
  a.answer(1ms);
  EXPECT_FALSE(a.come(60ms));
  EXPECT_EQ(a.policy.delay(), 40ms);
  a.policy.timed_out(limits);  // Nothing carried it: quick ACKs are left, and go on.
  a.policy.acknowledged();
  EXPECT_TRUE(a.come(60ms));
}

TEST(AckPolicy, More_than_one_full_segment_is_acknowledged_at_once) {
  Arrivals a;
  while (a.come(60ms)) {}
  a.policy.acknowledged();
  EXPECT_FALSE(a.come(1ms, 1460));
  EXPECT_TRUE(a.come(1ms, 1));
  EXPECT_FALSE(a.come(1ms, 730));
  EXPECT_FALSE(a.come(1ms, 730));
  EXPECT_TRUE(a.come(1ms, 730));
}

TEST(AckPolicy, After_a_gap_longer_than_the_RTO_ACKs_are_quick_again) {
  Arrivals a;
  while (a.come(60ms)) {}
  a.policy.acknowledged();
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(a.come(60ms));
    a.policy.acknowledged();
  }
  EXPECT_TRUE(a.come(1001ms));
  for (int i = 0; i < 15; ++i) EXPECT_TRUE(a.come(60ms));
  EXPECT_FALSE(a.come(60ms));
}

TEST(AckPolicy, MUST_40_the_delay_follows_the_peers_pace_between_40_and_200_ms) {
  Arrivals a;
  for (int round = 0; round < 4; ++round)
    for (const Duration gap : {1ms, 10ms, 30ms, 39ms, 60ms, 100ms, 199ms, 500ms, 5000ms})
      for (int i = 0; i < 5; ++i) {
        (void)a.come(gap);
        EXPECT_GE(a.policy.delay(), 40ms);
        EXPECT_LE(a.policy.delay(), 200ms);
        a.policy.timed_out(limits);
        EXPECT_LE(a.policy.delay(), 200ms);
      }
}

TEST(AckPolicy, A_delay_is_never_longer_than_the_round_trip_nor_shorter_than_40_ms) {
  auto near = limits;
  near.srtt = 5ms;
  AckPolicy policy;
  Instant now{};
  policy.data_arrived(now += 1s, 1, near);
  for (int i = 0; i < 5; ++i) policy.timed_out(near);
  EXPECT_EQ(policy.delay(), 200ms);  // Until data come:
  policy.data_arrived(now += 100ms, 1, near);
  EXPECT_EQ(policy.delay(), 40ms);
}

TEST(AckPolicy, A_FIN_before_any_data_waits_for_a_tick_and_after_data_for_40_ms) {
  Arrivals fresh;
  fresh.policy.fin_arrived();
  EXPECT_FALSE(fresh.policy.at_once(1460));
  EXPECT_EQ(fresh.policy.delay(), 1ms);
  Arrivals used;
  EXPECT_TRUE(used.come(60ms));
  used.policy.fin_arrived();
  EXPECT_FALSE(used.policy.at_once(1460));
  EXPECT_EQ(used.policy.delay(), 40ms);
}

// --- The peer's segment size ---------------------------------------------------------------------

TEST(SegmentSize, It_grows_with_the_largest_segment_and_not_above_the_announced_MSS) {
  SegmentSize size;
  size.start(1460);
  EXPECT_EQ(size, 536);
  size.measure(1000, false, 1460);
  EXPECT_EQ(size, 1000);
  size.measure(9000, true, 1460);  // More than we announced: not one segment.
  EXPECT_EQ(size, 1460);
  size.start(256);  // A small device of ours.
  EXPECT_EQ(size, 256);
}

TEST(SegmentSize, Two_equal_segments_in_a_row_make_it_smaller) {
  SegmentSize size;
  size.start(1460);
  for (const auto bytes : {1460u, 1000u, 1100u, 1000u, 1200u}) size.measure(bytes, false, 1460);
  EXPECT_EQ(size, 1460);
  size.measure(1200, false, 1460);
  EXPECT_EQ(size, 1200);
}

TEST(SegmentSize, Small_segments_with_PSH_are_the_ends_of_writes_and_tell_nothing) {
  SegmentSize size;
  size.start(1460);
  for (int i = 0; i < 10; ++i) size.measure(300, false, 1460);
  EXPECT_EQ(size, 536);
  for (int i = 0; i < 2; ++i) size.measure(300, true, 1460);
  EXPECT_EQ(size, 300);
  for (int i = 0; i < 10; ++i) size.measure(20, true, 1460);
  EXPECT_EQ(size, 300);
}

}  // namespace
}  // namespace estab::tcp
