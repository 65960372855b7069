// SPDX-License-Identifier: Apache-2.0
// Loss: fast retransmit, NewReno (RFC 6582), SACK (RFC 6675), limited transmit (RFC 3042).
#include <gtest/gtest.h>

#include <fmt/format.h>

#include "scenes.hpp"

namespace estab::script {
namespace {

// The next segments are full ones, from one sequence number to the other.
void expect_segments(Conversation& c, std::uint32_t from, std::uint32_t to,
                     std::source_location where = std::source_location::current()) {
  for (; from < to; from += 1000) c.expect(fmt::format(". {}:{} ack 1", from, from + 1000), where);
}

// Ten segments of 1000 octets are out; the program has written `more`.
void ten_out(Conversation& c, std::uint32_t more, const char* options = "win 65535 <mss 1000>") {
  c.open_passive(options);
  c.user_send(10000 + more);
  expect_segments(c, 1, 10001);
}

constexpr const char* sack_options = "win 65535 <mss 1000,nop,nop,sackOK>";

Scene sack() {
  Scene scene;
  scene.tcp.sack = true;
  return scene;
}

TEST(Recovery, RFC_5681_three_duplicate_ACKs_send_the_missing_segment_again) {
  Conversation c;
  ten_out(c, 10000);
  c.peer(". 1:1 ack 1");
  c.expect(". 10001:11001 ack 1", Reason::send_limited_transmit);
  c.peer(". 1:1 ack 1");
  c.expect(". 11001:12001 ack 1", Reason::send_limited_transmit);
  c.peer(". 1:1 ack 1");
  c.expect(". 1:1001 ack 1", Reason::retransmit_fast);
  EXPECT_EQ(c.status().ssthresh, 5000u);
  EXPECT_EQ(c.status().cwnd, 5000u);
  // Each further one stands for a segment that has left; cwnd is 5, so the pipe must empty first.
  for (int i = 0; i < 4; ++i) c.peer(". 1:1 ack 1"), c.expect_nothing();
  c.peer(". 1:1 ack 1");
  c.expect(". 12001:13001 ack 1");
  c.peer(". 1:1 ack 1");
  c.expect(". 13001:14001 ack 1");
  c.peer(". 1:1 ack 1");  // The tenth: no more than ten were out.
  c.expect(". 14001:15001 ack 1");
  for (int i = 0; i < 50; ++i) c.peer(". 1:1 ack 1"), c.expect_nothing();
  c.peer(". 1:1 ack 14001");
  EXPECT_EQ(c.status().cwnd, 5000u);
  expect_segments(c, 15001, 19001);
}

TEST(Recovery, RFC_5681_an_ACK_with_text_another_window_or_nothing_out_is_no_duplicate) {
  Conversation c;
  ten_out(c, 10000);
  for (int i = 0; i < 6; ++i) {
    c.peer(fmt::format(". 1:1 ack 1 win {}", 60000 + i));
    c.expect_nothing();
  }
  for (int i = 0; i < 6; ++i) {
    c.peer(fmt::format("P. {}:{} ack 1 win 60005", 1 + 10 * i, 11 + 10 * i));
    for (const auto& sent : c.take_sent()) EXPECT_EQ(sent.length, 0u);  // ACKs of it.
  }
}

TEST(Recovery, RFC_6582_a_partial_ACK_fills_the_next_hole_and_a_full_one_ends_it) {
  Conversation c;
  ten_out(c, 10000);
  c.peer(". 1:1 ack 1");
  c.expect(". 10001:11001 ack 1");
  c.peer(". 1:1 ack 1");
  c.expect(". 11001:12001 ack 1");
  c.peer(". 1:1 ack 1");
  c.expect(". 1:1001 ack 1", Reason::retransmit_fast);
  c.peer(". 1:1 ack 3001");  // Two holes: 1 and 3001.
  c.expect(". 3001:4001 ack 1", Reason::retransmit_partial);
  c.peer(". 1:1 ack 12001");
  expect_segments(c, 12001, 17001);
  EXPECT_EQ(c.status().octets_retransmitted, 2000u);
  EXPECT_EQ(c.status().cwnd, 5000u);
  EXPECT_EQ(c.status().ssthresh, 5000u);
}

TEST(Recovery, RFC_6675_holes_between_selective_ACKs_are_filled_and_nothing_else) {
  Conversation c{sack()};
  ten_out(c, 10000, sack_options);
  // Segments 1 and 4 of ten are lost.
  c.peer(". 1:1 ack 1 <nop,nop,sack 1001:2001>");
  c.expect(". 10001:11001 ack 1", Reason::send_limited_transmit);
  c.peer(". 1:1 ack 1 <nop,nop,sack 1001:3001>");
  c.expect(". 11001:12001 ack 1", Reason::send_limited_transmit);
  c.peer(". 1:1 ack 1 <nop,nop,sack 4001:5001 1001:3001>");
  c.expect(". 1:1001 ack 1", Reason::retransmit_sack);
  for (const std::uint32_t end : {6001, 7001, 8001}) {  // The pipe empties to cwnd, 5000.
    c.peer(fmt::format(". 1:1 ack 1 <nop,nop,sack 4001:{} 1001:3001>", end));
    c.expect_nothing();
  }
  c.peer(". 1:1 ack 1 <nop,nop,sack 4001:9001 1001:3001>");
  c.expect(". 3001:4001 ack 1", Reason::retransmit_sack);
  for (std::uint32_t end = 10001; end <= 12001; end += 1000) {
    c.peer(fmt::format(". 1:1 ack 1 <nop,nop,sack 4001:{} 1001:3001>", end));
    c.expect(fmt::format(". {}:{} ack 1", end + 2000, end + 3000));
  }
  c.peer(". 1:1 ack 3001 <nop,nop,sack 4001:12001>");
  c.expect(". 15001:16001 ack 1");
  c.peer(". 1:1 ack 12001");
  c.expect(". 16001:17001 ack 1");
  EXPECT_EQ(c.status().octets_retransmitted, 2000u);
  c.state(State::established);
}

TEST(Recovery, RFC_6675_with_more_than_256_segments_out_and_many_holes_only_the_holes_are_filled) {
  Scene scene = sack();
  scene.tcp.window_scaling = true;
  scene.tcp.initial_window_segments = 1000;
  Conversation c{scene};
  c.open_passive("win 65535 <mss 1000,nop,nop,sackOK,nop,wscale 7>");
  c.user_send(1000000);
  expect_segments(c, 1, 999001);
  c.expect("P. 999001:1000001 ack 1");
  std::vector<std::uint32_t> holes;  // Each 20th segment is lost.
  for (std::uint32_t lost = 1; lost < 1000001; lost += 20000) holes.push_back(lost);
  std::vector<std::uint32_t> filled;
  for (const std::uint32_t lost : holes)
    for (std::uint32_t end = lost + 2000; end <= lost + 20000; end += 1000) {
      c.peer(fmt::format(". 1:1 ack 1 win 65535 <nop,nop,sack {}:{}>", lost + 1000, end));
      for (const auto& sent : c.take_sent()) filled.push_back(sent.seq);
    }
  EXPECT_EQ(filled, holes);
  EXPECT_EQ(c.status().octets_retransmitted, 1000u * holes.size());
}

TEST(Recovery, RFC_2018_8_after_a_timeout_selective_ACKs_may_be_forgotten_and_all_arrives) {
  Conversation c{sack()};
  ten_out(c, 10000, sack_options);
  c.peer(". 1:1 ack 1 <nop,nop,sack 1001:2001>");
  c.expect(". 10001:11001 ack 1", Reason::send_limited_transmit);
  c.expect_between(100ms, 2s, ". 1:1001 ack 1");
  c.peer(". 1:1 ack 1001");  // The peer reneged: 1001 is gone.
  c.expect(". 1001:2001 ack 1");
  c.expect(". 2001:3001 ack 1");
  std::uint32_t acked = 3001;
  for (int round = 0; round < 20 && acked < 20001; ++round) {
    c.peer(fmt::format(". 1:1 ack {}", acked));
    for (const auto& sent : c.take_sent()) {
      EXPECT_EQ(sent.seq, acked);  // In order, and each once.
      acked = sent.seq + sent.length;
    }
  }
  EXPECT_EQ(acked, 20001u);
  c.peer(". 1:1 ack 20001");
}

TEST(Recovery, RFC_5681_ten_thousand_duplicate_ACKs_send_no_more_than_the_flight_and_the_window) {
  Conversation c;
  ten_out(c, 100000);
  std::size_t octets = 0;
  for (int i = 0; i < 10000; ++i) {
    c.peer(". 1:1 ack 1");
    for (const auto& sent : c.take_sent()) octets += sent.length;
  }
  EXPECT_EQ(octets, 6000u);  // 1:1001 again, and five new ones.
}

TEST(Recovery, RFC_3465_an_ACK_divided_into_200_grows_the_window_by_one_segment_at_most) {
  Conversation c;
  ten_out(c, 10000);
  for (std::uint32_t i = 1; i <= 200; ++i) {
    c.peer(fmt::format(". 1:1 ack {}", 1 + i * 5));
    if (i == 100) c.expect(". 10001:11001 ack 1");  // Half a window's segment has left, and half
  }  // a segment was counted.
  c.expect(". 11001:12001 ack 1");
  EXPECT_EQ(c.status().cwnd, 11000u);
}

// The peer acknowledges each segment from one number to the other; each ACK lets go what it says.
void acknowledge_each(Conversation& c, std::uint32_t from, std::uint32_t to, std::uint32_t& next,
                      std::uint32_t segments_each) {
  for (from += 1000; from <= to; from += 1000) {
    c.peer(fmt::format(". 1:1 ack {}", from));
    expect_segments(c, next, next + 1000 * segments_each);
    next += 1000 * segments_each;
  }
}

TEST(Recovery, MUST_19_slow_start_doubles_and_congestion_avoidance_adds_a_segment_a_round) {
  Conversation c;
  c.open_passive("win 65535 <mss 1000>");
  c.user_send(300000);
  expect_segments(c, 1, 10001);
  std::uint32_t next = 10001;
  acknowledge_each(c, 1, 10001, next, 2);
  EXPECT_EQ(c.status().cwnd, 20000u);
  c.expect_between(100ms, 2s, ". 10001:11001 ack 1");  // All of those are lost.
  EXPECT_EQ(c.status().ssthresh, 10000u);
  EXPECT_EQ(c.status().cwnd, 1000u);
  c.peer(". 1:1 ack 30001");
  expect_segments(c, 30001, 32001);
  next = 32001;
  acknowledge_each(c, 30001, 32001, next, 2);
  acknowledge_each(c, 32001, 36001, next, 2);
  acknowledge_each(c, 36001, 38001, next, 2);
  EXPECT_EQ(c.status().cwnd, 10000u);
  acknowledge_each(c, 38001, 47001, next, 1);  // Nine ACKs let nine segments go.
  EXPECT_EQ(c.status().cwnd, 10000u);
  acknowledge_each(c, 47001, 48001, next, 2);  // The tenth of the round adds one.
  EXPECT_EQ(c.status().cwnd, 11000u);
}

TEST(Recovery, RFC_5681_4_1_after_an_RTO_of_idleness_the_window_restarts) {
  Conversation c;
  c.open_passive("win 65535 <mss 1000>");
  c.user_send(30000);
  expect_segments(c, 1, 10001);
  std::uint32_t next = 10001;
  acknowledge_each(c, 1, 10000, next, 2);
  c.peer(". 1:1 ack 10001");
  c.expect(". 28001:29001 ack 1");
  c.expect("P. 29001:30001 ack 1");
  c.peer(". 1:1 ack 30001");
  c.wait(100s);
  c.user_send(30000);
  expect_segments(c, 30001, 40001);
}

}  // namespace
}  // namespace estab::script
