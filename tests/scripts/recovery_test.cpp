// SPDX-License-Identifier: Apache-2.0
// Loss: fast retransmit, NewReno (RFC 6582), SACK (RFC 6675), limited transmit (RFC 3042).
#include <gtest/gtest.h>

#include <fmt/format.h>

#include "scenes.hpp"

namespace estab::script {
namespace {

// Ten segments of 1000 octets are out; the program has ten more.
void ten_out(Conversation& c, const char* options = "win 65535 <mss 1000>") {
  c.open_passive(options);
  c.user_send(20000);
  ASSERT_EQ(c.take_sent().size(), 10u);
}

Scene sack() {
  Scene scene;
  scene.tcp.sack = true;
  return scene;
}

TEST(Recovery, RFC_5681_three_duplicate_ACKs_send_the_missing_segment_again) {
  Conversation c;
  ten_out(c);
  c.peer(". 1:1 ack 1");
  c.expect(". 10001:11001 ack 1", Reason::send_limited_transmit);
  c.peer(". 1:1 ack 1");
  c.expect(". 11001:12001 ack 1", Reason::send_limited_transmit);
  c.peer(". 1:1 ack 1");
  c.expect(". 1:1001 ack 1", Reason::retransmit_fast);
  c.run(0s);
  c.take_sent();
  EXPECT_LE(c.status().ssthresh, 6000u);
}

TEST(Recovery, RFC_5681_an_ACK_with_text_another_window_or_nothing_out_is_no_duplicate) {
  Conversation c;
  ten_out(c);
  for (int i = 0; i < 6; ++i) {
    c.peer(fmt::format(". 1:1 ack 1 win {}", 60000 + i));
    c.take_sent();
  }
  EXPECT_EQ(c.status().octets_retransmitted, 0u);
  for (int i = 0; i < 6; ++i) {
    c.peer(fmt::format("P. {}:{} ack 1 win 60005", 1 + 10 * i, 11 + 10 * i));
    c.take_sent();
  }
  EXPECT_EQ(c.status().octets_retransmitted, 0u);
}

TEST(Recovery, RFC_6582_a_partial_ACK_fills_the_next_hole_and_a_full_one_ends_it) {
  Conversation c;
  ten_out(c);
  for (int i = 0; i < 3; ++i) c.peer(". 1:1 ack 1"), c.take_sent();
  c.peer(". 1:1 ack 3001");  // Two holes: 1 and 3001.
  c.expect(". 3001:4001 ack 1", Reason::retransmit_partial);
  c.take_sent();
  c.peer(". 1:1 ack 12001");
  c.take_sent();
  EXPECT_EQ(c.status().octets_retransmitted, 2000u);
  EXPECT_EQ(c.status().cwnd, c.status().ssthresh);
}

TEST(Recovery, RFC_6675_holes_between_selective_ACKs_are_filled_and_nothing_else) {
  Conversation c{sack()};
  ten_out(c, "win 65535 <mss 1000,nop,nop,sackOK>");
  // Segments 1 and 4 of ten are lost.
  c.peer(". 1:1 ack 1 <nop,nop,sack 1001:2001>");
  c.take_sent();
  c.peer(". 1:1 ack 1 <nop,nop,sack 1001:3001>");
  c.take_sent();
  c.peer(". 1:1 ack 1 <nop,nop,sack 4001:5001 1001:3001>");
  c.expect(". 1:1001 ack 1");
  c.take_sent();
  for (std::uint32_t end = 6001; end <= 12001; end += 1000) {
    c.peer(fmt::format(". 1:1 ack 1 <nop,nop,sack 4001:{} 1001:3001>", end));
    c.take_sent();
  }
  EXPECT_EQ(c.status().octets_retransmitted, 2000u);  // 1:1001 and 3001:4001, once each.
  c.peer(". 1:1 ack 3001 <nop,nop,sack 4001:12001>");
  c.take_sent();
  c.peer(". 1:1 ack 12001");
  c.take_sent();
  EXPECT_EQ(c.status().octets_retransmitted, 2000u);
  c.state(State::established);
}

TEST(Recovery, RFC_2018_8_after_a_timeout_selective_ACKs_may_be_forgotten_and_all_arrives) {
  Conversation c{sack()};
  ten_out(c, "win 65535 <mss 1000,nop,nop,sackOK>");
  c.peer(". 1:1 ack 1 <nop,nop,sack 1001:2001>");
  c.take_sent();
  c.expect_between(100ms, 2s, ". 1:1001 ack 1");
  c.peer(". 1:1 ack 1001");  // The peer reneged: 1001 is gone.
  std::uint32_t acked = 1001;
  for (int i = 0; i < 200 && acked < 20001; ++i) {
    c.run(1s);
    for (const auto& sent : c.take_sent())
      if (sent.seq <= acked) acked = std::max(acked, sent.seq + sent.length);
    c.peer(fmt::format(". 1:1 ack {}", acked));
  }
  c.take_sent();
  EXPECT_EQ(acked, 20001u);
}

TEST(Recovery, Threats_28_ten_thousand_duplicate_ACKs_send_no_more_than_the_flight_and_the_window) {
  Conversation c;
  ten_out(c);
  std::size_t octets = 0;
  for (int i = 0; i < 10000; ++i) {
    c.peer(". 1:1 ack 1");
    for (const auto& sent : c.take_sent()) octets += sent.length;
  }
  EXPECT_LE(octets, 20000u);
}

TEST(Recovery, Threats_27_an_ACK_divided_into_200_grows_the_window_by_one_segment_at_most) {
  Conversation c;
  ten_out(c);
  const auto cwnd = c.status().cwnd;
  for (std::uint32_t i = 1; i <= 200; ++i) {
    c.peer(fmt::format(". 1:1 ack {}", 1 + i * 5));
    c.take_sent();
  }
  EXPECT_LE(c.status().cwnd, cwnd + 1000);
}

// The peer acknowledges each segment that is out, and those that these bring forth are left out.
void acknowledge_each(Conversation& c, const std::vector<Segment>& sent,
                      std::vector<Segment>& next) {
  for (const auto& segment : sent) {
    c.peer(fmt::format(". 1:1 ack {}", segment.seq + segment.length));
    for (const auto& more : c.take_sent()) next.push_back(more);
  }
}

TEST(Recovery, MUST_19_slow_start_doubles_and_congestion_avoidance_adds_a_segment_a_round) {
  Conversation c;
  c.open_passive("win 65535 <mss 1000>");
  c.user_send(300000);
  std::vector<Segment> out = c.take_sent(), next;
  acknowledge_each(c, out, next);
  EXPECT_EQ(c.status().cwnd, 20000u);
  c.run(1500ms);  // All of those are lost.
  c.take_sent();
  const auto ssthresh = c.status().ssthresh;
  EXPECT_EQ(ssthresh, 10000u);
  c.peer(". 1:1 ack 30001");
  out = c.take_sent();
  for (int round = 0; round < 8 && c.status().cwnd < ssthresh; ++round, out.swap(next))
    next.clear(), acknowledge_each(c, out, next);
  EXPECT_EQ(c.status().cwnd, ssthresh);
  next.clear();
  acknowledge_each(c, out, next);
  EXPECT_LE(c.status().cwnd, ssthresh + 1000);
}

TEST(Recovery, RFC_5681_4_1_after_an_RTO_of_idleness_the_window_restarts) {
  Conversation c;
  c.open_passive("win 65535 <mss 1000>");
  c.user_send(30000);
  std::vector<Segment> last;
  acknowledge_each(c, c.take_sent(), last);
  EXPECT_EQ(last.size(), 20u);
  c.peer(". 1:1 ack 30001");
  c.wait(100s);
  c.user_send(30000);
  EXPECT_EQ(c.take_sent().size(), 10u);
}

}  // namespace
}  // namespace estab::script
