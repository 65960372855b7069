// SPDX-License-Identifier: Apache-2.0
// The sender's one deadline: what it is for, when it begins, and what it is told by (RFC 6298).
#include <gtest/gtest.h>

#include <fmt/format.h>

#include "scenes.hpp"

namespace estab::script {
namespace {

constexpr const char* window = "win 65535 <mss 1000>";

// So many exchanges of a segment and its ACK, `rtt` apart; returns the next sequence number.
std::uint32_t exchange(Conversation& c, std::uint32_t next, int times, Duration rtt) {
  for (int i = 0; i < times; ++i, next += 1000) {
    c.user_send(1000);
    c.run(rtt);
    c.take_sent();
    c.peer(fmt::format(". 1:1 ack {}", next + 1000));
  }
  return next;
}

// A path of this RTT brings an ACK for each segment; how often each of `times` segments was sent.
std::vector<int> sent_over(Conversation& c, std::uint32_t next, int times, Duration rtt) {
  std::vector<int> counts;
  for (int i = 0; i < times; ++i, next += 1000) {
    c.user_send(1000);
    c.run(rtt);
    counts.push_back(int(c.take_sent().size()));
    c.peer(fmt::format(". 1:1 ack {}", next + 1000));
  }
  return counts;
}

TEST(RetransmissionTimer, MUST_18_the_ACK_of_a_retransmission_does_not_end_the_back_off) {
  Conversation c;
  c.open_passive(window);
  const auto next = exchange(c, 1, 10, 10ms);
  const auto counts = sent_over(c, next, 10, 1s);
  EXPECT_GT(counts[0], 1);  // Nobody could know.
  for (int i = 2; i < 10; ++i) EXPECT_EQ(counts[std::size_t(i)], 1) << i;
}

TEST(RetransmissionTimer, RFC_6298_5_7_a_measured_round_trip_ends_the_back_off) {
  Conversation c;
  c.open_passive(window);
  const auto next = exchange(c, 1, 10, 10ms);
  (void)sent_over(c, next, 4, 1s);
  exchange(c, next + 4000, 40, 10ms);
  EXPECT_LT(c.status().rto, 400ms);
}

TEST(RetransmissionTimer, RFC_7323_4_1_an_ACK_that_does_not_advance_is_no_round_trip) {
  Conversation c{{.tcp = full()}};
  c.open_passive("win 65535 <mss 1000,sackOK,TS 1 0,nop,wscale 7>");
  c.wait(600s);
  c.user_send(9880);
  ASSERT_EQ(c.take_sent().size(), 10u);  // 988 octets each; the first two are lost.
  // The echo is of the handshake, ten minutes ago.
  c.peer(". 1:1 ack 1 <nop,nop,TS 600000 0,nop,nop,sack 1977:9881>");
  c.expect(". 1:989 ack 1");
  c.expect(". 989:1977 ack 1");
  c.wait(100ms);  // The first is lost again.
  c.peer(". 1:1 ack 1 <nop,nop,TS 600100 0,nop,nop,sack 989:9881>");
  EXPECT_LT(c.status().srtt, 2s);
  EXPECT_LT(c.status().rto, 10s);
}

TEST(RetransmissionTimer, A_fast_retransmission_has_a_whole_RTO_before_it) {
  Conversation c;
  c.user_connect();
  c.expect("S 0:0");
  c.wait(300ms);
  c.peer("S. 0:0 ack 1 win 65535 <mss 1000>");
  c.expect(". 1:1 ack 1");
  const std::uint32_t next = exchange(c, 1, 20, 300ms);
  const auto rto = c.status().rto;
  c.user_send(10000);
  c.take_sent();
  c.wait(300ms);
  for (int i = 0; i < 2; ++i) c.peer(fmt::format(". 1:1 ack {}", next)), c.take_sent();
  c.peer(fmt::format(". 1:1 ack {}", next));
  c.expect(fmt::format(". {}:{} ack 1", next, next + 1000), Reason::retransmit_fast);
  c.wait(rto - 10ms);
  EXPECT_EQ(c.count(Reason::retransmit_timeout), 0u);
  c.expect_between(0ms, 20ms, fmt::format(". {}:{} ack 1", next, next + 1000));
  EXPECT_EQ(c.count(Reason::retransmit_timeout), 1u);
}

TEST(RetransmissionTimer, What_is_sent_while_the_SWS_override_waits_has_its_own_RTO) {
  Conversation c;
  c.open_passive("win 2000 <mss 1000>");
  c.user_send(2500);
  c.expect(". 1:1001 ack 1");
  c.expect(". 1001:2001 ack 1");
  c.peer(". 1:1 ack 2001 win 100");  // Too little for what is left: the override waits.
  const auto rto = c.status().rto;
  c.wait(rto - 10ms);
  c.peer(". 1:1 ack 2001 win 2000");
  c.expect("P. 2001:2501 ack 1");
  c.wait(rto - 10ms);
  c.expect_between(0ms, 20ms, "P. 2001:2501 ack 1");
}

TEST(RetransmissionTimer, What_is_sent_while_more_is_awaited_has_its_own_RTO) {
  Conversation c;
  c.open_passive(window);
  exchange(c, 1, 20, 10ms);
  c.user_send(100, {.more = true});
  c.wait(190ms);
  c.expect_nothing();
  c.user_send(100);
  c.expect("P. 20001:20201 ack 1");
  const auto rto = c.status().rto;
  c.wait(rto - 10ms);
  c.expect_between(0ms, 20ms, "P. 20001:20201 ack 1");
  EXPECT_EQ(c.status().cwnd, 1000u);
}

TEST(RetransmissionTimer, More_that_does_not_come_is_not_awaited_past_200_ms_or_the_next_ACK) {
  Conversation c;
  c.open_passive(window);
  c.user_send(100, {.more = true});
  c.wait(190ms);
  c.expect_between(0ms, 20ms, "P. 1:101 ack 1");
  c.peer(". 1:1 ack 101");
  c.user_send(1100, {.more = true});
  c.expect(". 101:1101 ack 1");
  c.wait(50ms);
  c.peer(". 1:1 ack 1101");
  c.expect("P. 1101:1201 ack 1");
}

TEST(RetransmissionTimer, A_shut_window_that_opens_leaves_no_probe_timer_behind) {
  Conversation c;
  c.open_passive(window);
  exchange(c, 1, 20, 10ms);
  c.user_send(1000);
  c.take_sent();
  c.peer(". 1:1 ack 21001 win 0");
  c.user_send(1000);
  c.run(20s);
  c.take_sent();
  c.peer(". 1:1 ack 21001 win 65535");
  c.expect("P. 21001:22001 ack 1");
  c.wait(200ms);
  c.expect_between(0ms, 50ms, "P. 21001:22001 ack 1");
  EXPECT_EQ(c.count(Reason::retransmit_timeout), 1u);
}

}  // namespace
}  // namespace estab::script
