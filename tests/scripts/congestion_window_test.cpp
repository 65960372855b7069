// SPDX-License-Identifier: Apache-2.0
// The congestion window: RFC 5681, RFC 3465, RFC 3042, and what limits it (MUST-19).
#include <gtest/gtest.h>

#include <fmt/format.h>

#include "scenes.hpp"

namespace estab::script {
namespace {

constexpr const char* window = "win 65535 <mss 1000>";

Scene with_sack() {
  Scene scene;
  scene.tcp.sack = true;
  return scene;
}

// Ten segments of 1000 octets are out; the program has written so many more.
void ten_out(Conversation& c, std::uint32_t more, const char* options = window) {
  c.open_passive(options);
  c.user_send(10000 + more);
  for (std::uint32_t seq = 1; seq < 10001; seq += 1000)
    c.expect(fmt::format("{} {}:{} ack 1", seq == 9001 && more == 0 ? "P." : ".", seq, seq + 1000));
}

std::vector<std::string> acks(std::uint32_t from, std::uint32_t to) {
  std::vector<std::string> specs;
  for (; from <= to; from += 1000) specs.push_back(fmt::format(". 1:1 ack {}", from));
  return specs;
}

TEST(CongestionWindow, A_batch_of_ACKs_opens_it_as_far_as_the_same_ACKs_one_by_one) {
  for (const std::uint32_t more : {0u, 5000u, 10000u, 50000u}) {
    Conversation batch, single;
    ten_out(batch, more);
    batch.peer_batch(acks(1001, 10001));
    batch.take_sent();
    ten_out(single, more);
    for (const auto& ack : acks(1001, 10001)) single.peer(ack), single.take_sent();
    EXPECT_EQ(batch.status().cwnd, single.status().cwnd) << more;
    EXPECT_EQ(batch.status().cwnd, 20000u) << more;
  }
}

TEST(CongestionWindow, It_does_not_grow_while_less_than_half_of_it_is_used) {
  Conversation c;
  c.open_passive(window);
  for (std::uint32_t seq = 1; seq < 20001; seq += 1000) {
    c.user_send(1000);
    c.expect(fmt::format("P. {}:{} ack 1", seq, seq + 1000));
    c.peer(fmt::format(". 1:1 ack {}", seq + 1000));
  }
  EXPECT_EQ(c.status().cwnd, 10000u);
}

TEST(CongestionWindow, MUST_19_after_a_timeout_it_opens_though_nothing_new_is_to_be_sent) {
  for (const bool sack : {false, true}) {
    Conversation c{sack ? with_sack() : Scene{}};
    ten_out(c, 0, sack ? "win 65535 <mss 1000,nop,nop,sackOK>" : window);
    c.expect_between(100ms, 2s, ". 1:1001 ack 1");
    EXPECT_EQ(c.status().cwnd, 1000u);
    // Each round trip brings one segment more: 1, 2, 4, and the three that are left.
    c.peer(". 1:1 ack 1001");
    c.expect(". 1001:2001 ack 1");
    c.expect(". 2001:3001 ack 1");
    c.peer_batch(acks(2001, 3001));
    for (std::uint32_t seq = 3001; seq < 7001; seq += 1000)
      c.expect(fmt::format(". {}:{} ack 1", seq, seq + 1000));
    c.peer_batch(acks(4001, 7001));
    for (std::uint32_t seq = 7001; seq < 9001; seq += 1000)
      c.expect(fmt::format(". {}:{} ack 1", seq, seq + 1000));
    c.expect("P. 9001:10001 ack 1");
    c.peer(". 1:1 ack 10001");
  }
}

TEST(CongestionWindow,
     RFC_3465_2_3_in_the_slow_start_after_a_timeout_an_ACK_counts_for_one_segment) {
  Conversation c;
  ten_out(c, 40000);
  c.expect_between(100ms, 2s, ". 1:1001 ack 1");
  c.peer(". 1:1 ack 4001");  // Four arrived.
  c.take_sent();
  EXPECT_EQ(c.status().cwnd, 2000u);
  Conversation first;  // Before any loss it counts for two.
  ten_out(first, 40000);
  first.peer(". 1:1 ack 4001");
  first.take_sent();
  EXPECT_EQ(first.status().cwnd, 12000u);
}

TEST(CongestionWindow, RFC_5681_3_2_what_limited_transmit_sent_does_not_raise_ssthresh) {
  for (const bool sack : {false, true}) {
    Conversation c{sack ? with_sack() : Scene{}};
    ten_out(c, 10000, sack ? "win 65535 <mss 1000,nop,nop,sackOK>" : window);
    for (std::uint32_t i = 1; i <= 3; ++i) {
      c.peer(sack ? fmt::format(". 1:1 ack 1 <nop,nop,sack 1001:{}>", 1001 + 1000 * i)
                  : ". 1:1 ack 1");
      c.expect(i == 3 ? std::string(". 1:1001 ack 1")
                      : fmt::format(". {0}001:{1}001 ack 1", 9 + i, 10 + i));
    }
    EXPECT_EQ(c.status().ssthresh, 5000u);
    c.run(0s);
    c.take_sent();
  }
}

TEST(CongestionWindow, RFC_5681_3_2_duplicate_ACKs_count_for_no_more_than_was_out) {
  Conversation c;
  ten_out(c, 400000 / 4);
  std::size_t fresh = 0;
  for (int i = 0; i < 3000; ++i) {
    c.peer(". 1:1 ack 1");
    for (const auto& sent : c.take_sent()) fresh += sent.seq > 10000;
  }
  EXPECT_LE(fresh, 10u);
}

TEST(CongestionWindow, RFC_6675_2_with_SACK_an_ACK_that_tells_nothing_new_is_no_duplicate) {
  Conversation c{with_sack()};
  ten_out(c, 10000, "win 65535 <mss 1000,nop,nop,sackOK>");
  for (int i = 0; i < 20; ++i) c.peer(". 1:1 ack 1"), c.expect_nothing();
  c.peer(". 1:1 ack 1 <nop,nop,sack 1001:2001>");
  c.expect(". 10001:11001 ack 1", Reason::send_limited_transmit);
  for (int i = 0; i < 20; ++i) c.peer(". 1:1 ack 1 <nop,nop,sack 1001:2001>"), c.expect_nothing();
  for (int i = 0; i < 20; ++i)  // A D-SACK.
    c.peer(". 1:1 ack 1 <nop,nop,sack -999:1>"), c.expect_nothing();
}

TEST(CongestionWindow, Answers_to_zero_window_probes_are_no_duplicate_ACKs) {
  Conversation c;
  c.open_passive(window);
  c.user_send(5000);
  ASSERT_EQ(c.take_sent().size(), 5u);
  c.peer(". 1:1 ack 1001 win 0");  // Shut over what is out.
  for (int i = 0; i < 10; ++i) c.peer(". 1:1 ack 1001 win 0"), c.expect_nothing();
  EXPECT_EQ(c.count(Reason::retransmit_fast), 0u);
}

TEST(CongestionWindow, RFC_5681_4_1_it_restarts_after_a_shut_window_as_after_any_idleness) {
  Conversation c;
  c.open_passive(window);
  c.user_send(30000);
  ASSERT_EQ(c.take_sent().size(), 10u);
  for (const auto& ack : acks(1001, 10001)) c.peer(ack), c.take_sent();
  std::uint32_t acked = 30001;
  c.peer(fmt::format(". 1:1 ack {} win 0", acked));
  ASSERT_GE(c.status().cwnd, 20000u);
  c.user_send(40000);
  c.run(2600ms);
  c.take_sent();
  c.peer(fmt::format(". 1:1 ack {} win 65535", acked));
  EXPECT_EQ(c.take_sent().size(), 10u);
}

TEST(CongestionWindow, What_was_lost_before_the_window_shut_is_sent_again_as_a_probe) {
  Conversation c;
  c.open_passive(window);
  c.user_send(3000);
  ASSERT_EQ(c.take_sent().size(), 3u);
  c.peer(". 1:1 ack 1001 win 0");
  for (int i = 0; i < 5; ++i) {  // Only the head.
    c.expect_between(100ms, 10s, ". 1001:2001 ack 1", Where::current());
    c.peer(". 1:1 ack 1001 win 0");
  }
  c.peer(". 1:1 ack 2001 win 4000");
  c.expect("P. 2001:3001 ack 1");
}

TEST(CongestionWindow, It_is_at_least_one_segment_though_segments_grow) {
  Conversation c;
  c.open_passive("win 65535 <mss 1460>");
  c.user_send(1000);
  c.expect("P. 1:1001 ack 1");
  c.icmp(wire::IcmpMeaning::packet_too_big, 1, 600);
  c.take_sent();
  c.run(1s);  // Timeouts: one segment of 560 octets.
  c.take_sent();
  EXPECT_EQ(c.status().cwnd, 560u);
  c.peer(". 1:1 ack 1001");
  c.wait(11min);
  c.user_send(1460);
  c.take_sent();
  EXPECT_GE(c.status().cwnd, c.status().send_mss);
  EXPECT_EQ(c.status().send_mss, 1460u);
}

}  // namespace
}  // namespace estab::script
