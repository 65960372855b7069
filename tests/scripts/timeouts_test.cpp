// SPDX-License-Identifier: Apache-2.0
// Time: RFC 9293 §3.8.1, §3.8.3, §3.8.4, §3.10.8; RFC 6298.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include "scenes.hpp"

namespace estab::script {
namespace {

TEST(Timeouts, MUST_22_MUST_23_a_SYN_is_sent_on_Linuxs_schedule_and_given_up_after_259_seconds) {
  Conversation c;
  c.user_connect();
  c.expect("S 0:0");
  for (const Duration when : {1s, 2s, 3s, 4s, 5s, 7s, 11s, 19s, 35s, 67s, 131s}) {
    c.at(when - 20ms);
    c.expect_between(0ms, 40ms, "S 0:0");
  }
  c.at(258s);
  c.state(State::syn_sent);
  c.wait(2s);
  c.state(State::closed);
  c.ended_with(Error::timed_out);
}

TEST(Timeouts, A_SYN_ACK_is_sent_again_at_1_3_and_7_seconds_and_the_record_is_gone_at_15) {
  Conversation c;
  c.user_listen();
  c.peer("S 0:0");
  c.expect("S. 0:0 ack 1");
  for (const Duration when : {1s, 3s, 7s}) {
    c.at(when - 20ms);
    c.expect_between(0ms, 40ms, "S. 0:0 ack 1");
  }
  c.at(14900ms);
  c.state(State::syn_received);
  c.wait(200ms);
  c.state(State::listen);
  EXPECT_EQ(c.count(Reason::half_open_expired), 1u);
}

TEST(Timeouts, RFC_6298_5_5_the_RTO_doubles_from_one_retransmission_to_the_next) {
  Conversation c;
  c.open_passive("win 65535 <mss 1000>");
  c.user_send(1000);
  c.expect("P. 1:1001 ack 1");
  const auto rto = c.status().rto;
  for (int i = 0; i < 6; ++i)
    c.expect_between(rto * (1 << i) - 10ms, rto * (1 << i) + 10ms, "P. 1:1001 ack 1");
  EXPECT_EQ(c.status().retransmissions, 6u);
  EXPECT_EQ(c.count(Reason::retransmit_timeout), 6u);
}

TEST(Timeouts, RFC_6298_2_the_RTO_is_SRTT_and_four_times_its_variance_but_200_ms_of_it_at_least) {
  Conversation c;
  c.open_passive("win 65535 <mss 1000>");
  std::uint32_t next = 1;
  for (int i = 0; i < 40; ++i, next += 100) {
    c.user_send(100);
    c.expect(fmt::format("P. {}:{} ack 1", next, next + 100));
    c.wait(100ms);
    c.peer(fmt::format(". 1:1 ack {}", next + 100));
  }
  EXPECT_NEAR(double(c.status().srtt / 1us), 100000, 5000);
  EXPECT_NEAR(double(c.status().rto / 1us), 300000, 10000);
}

TEST(Timeouts, MUST_18_Karn_no_RTT_is_taken_from_a_segment_that_was_sent_twice) {
  Conversation c;
  c.open_passive("win 65535 <mss 1000>");
  c.user_send(1000);
  c.expect("P. 1:1001 ack 1");
  c.wait(100ms);
  c.peer(". 1:1 ack 1001");
  const auto srtt = c.status().srtt;
  c.user_send(1000);
  c.expect("P. 1001:2001 ack 1");
  c.expect_between(200ms, 400ms, "P. 1001:2001 ack 1");
  c.wait(1ms);
  c.peer(". 1:1 ack 2001");
  EXPECT_EQ(c.status().srtt, srtt);
}

TEST(Timeouts, RFC_5681_3_1_after_a_timeout_one_segment_leaves_and_ssthresh_is_half_the_flight) {
  Conversation c;
  c.open_passive("win 65535 <mss 1000>");
  c.user_send(10000);
  EXPECT_EQ(c.take_sent().size(), 10u);
  c.expect_between(200ms, 1100ms, ". 1:1001 ack 1");
  EXPECT_EQ(c.status().cwnd, 1000u);
  EXPECT_EQ(c.status().ssthresh, 5000u);
}

TEST(Timeouts, MUST_20_MUST_21_SHLD_9_SHLD_10_the_program_is_told_at_R1_and_the_end_comes_at_R2) {
  Conversation c;
  c.open_passive("win 65535 <mss 1000>");
  auto options = c.options();
  options.user_timeout = 30s;
  c.user_options(options);
  c.line().notices = 0;
  c.user_send(1000);
  c.expect("P. 1:1001 ack 1");
  for (int i = 0; i < 3; ++i) c.expect_between(0ms, 1000s, "P. 1:1001 ack 1");
  c.not_notified(notice::soft_error);
  c.expect_between(0ms, 1000s, "P. 1:1001 ack 1");  // R1: three went unanswered.
  c.notified(notice::soft_error);
  c.run(40s);
  c.take_sent();
  c.state(State::listen);
  c.ended_with(Error::timed_out);
}

TEST(Timeouts, SHLD_11_R2_is_100_seconds_at_least_and_Linuxs_925_unless_set) {
  Conversation c;
  c.open_passive("win 65535 <mss 1000>");
  c.user_send(1000);
  c.run(900s);
  c.state(State::established);
  c.run(150s);
  c.state(State::listen);
  c.ended_with(Error::timed_out);
  EXPECT_EQ(c.count(Reason::retransmissions_exhausted), 1u);
  c.take_sent();
}

TEST(Timeouts, An_orphan_is_given_up_after_fewer_retransmissions) {
  Conversation c;
  c.open_passive("win 65535 <mss 1000>");
  c.user_send(1000);
  c.take_sent();
  c.user_close();
  c.run(900s);
  EXPECT_LE(c.take_sent().size(), 10u);
  c.state(State::listen);
}

TEST(Timeouts, An_ACK_between_retransmissions_puts_the_end_off) {
  Conversation c;
  c.open_passive("win 65535 <mss 1000>");
  c.user_send(60000);
  std::uint32_t acked = 1;
  for (int i = 0; i < 40; ++i, acked += 1000) {
    c.run(60s);
    c.take_sent();
    c.peer(fmt::format(". 1:1 ack {}", acked + 1000));
  }
  c.take_sent();
  c.state(State::established);
}

TEST(Timeouts, RFC_9293_3_10_8_the_user_timeout_ends_the_connection) {
  Conversation c;
  c.open_passive("win 65535 <mss 1000>");
  auto options = c.options();
  EXPECT_EQ(options.user_timeout, Duration{});
  options.user_timeout = 5s;
  c.user_options(options);
  c.wait(60s);  // Nothing is owed: it does not run.
  c.user_send(1000);
  c.run(4900ms);
  c.state(State::established);
  c.run(400ms);
  c.take_sent();
  c.state(State::listen);
  c.ended_with(Error::timed_out);
  EXPECT_EQ(c.count(Reason::user_timeout), 1u);
}

tcp::Options kept_alive(Conversation& c) {
  auto options = c.options();
  options.keep_alive = true;
  options.keep_alive_idle = 100s;
  options.keep_alive_interval = 10s;
  options.keep_alive_probes = 3;
  return options;
}

TEST(Timeouts, MUST_25_MUST_28_MAY_5_keep_alive_is_off_and_its_default_is_two_hours) {
  Conversation c;
  c.open_passive();
  EXPECT_FALSE(c.options().keep_alive);
  EXPECT_EQ(c.options().keep_alive_idle, 7200s);
  c.wait(24h);
  c.state(State::established);
}

TEST(Timeouts, MUST_24_MUST_27_SHLD_12_set_it_probes_without_text_after_the_idle_time) {
  Conversation c;
  c.open_passive();
  c.user_options(kept_alive(c));
  c.expect_between(99s, 101s, ". 0:0 ack 1");
  EXPECT_EQ(c.count(Reason::send_keep_alive), 1u);
  c.peer(". 1:1 ack 1");
  c.expect_between(99s, 101s, ". 0:0 ack 1");
  c.peer(". 1:1 ack 1");
  auto off = c.options();
  off.keep_alive = false;
  c.user_options(off);
  c.wait(1h);
}

TEST(Timeouts, MUST_29_one_unanswered_probe_is_not_death_and_all_of_them_are) {
  Conversation c;
  c.open_passive();
  c.user_options(kept_alive(c));
  c.expect_between(99s, 101s, ". 0:0 ack 1");
  c.expect_between(9s, 11s, ". 0:0 ack 1");
  c.state(State::established);
  c.expect_between(9s, 11s, ". 0:0 ack 1");
  c.wait(9s);
  c.state(State::established);
  c.run(2s);
  c.state(State::listen);
  c.ended_with(Error::timed_out);
  EXPECT_EQ(c.count(Reason::keep_alive_failed), 1u);
  c.take_sent();  // A reset may tell the peer.
}

TEST(Timeouts, MUST_26_while_something_is_unacknowledged_no_keep_alive_is_sent) {
  Conversation c;
  c.open_passive();
  c.user_options(kept_alive(c));
  c.user_send(100);
  c.expect("P. 1:101 ack 1");
  c.run(300s);
  c.take_sent();
  EXPECT_EQ(c.count(Reason::send_keep_alive), 0u);
}

TEST(Timeouts, MUST_26_text_from_the_peer_puts_the_probe_off) {
  Conversation c;
  c.open_passive();
  c.user_options(kept_alive(c));
  c.wait(90s);
  c.peer("P. 1:101 ack 1");
  c.expect_soon(". 1:1 ack 101");
  c.wait(95s);
  c.expect_between(0s, 10s, ". 0:0 ack 101");
}

TEST(Timeouts, MAY_6_the_probe_carries_one_octet_where_set) {
  Conversation c{{.check_text = false}};
  c.open_passive();
  auto options = kept_alive(c);
  options.keep_alive_octet = true;
  c.user_options(options);
  c.expect_between(99s, 101s, ". 0:1 ack 1");
}

TEST(Timeouts, A_keep_alive_probe_of_the_peer_is_answered) {
  Conversation c;
  c.open_passive();
  c.peer(". 0:0 ack 1");
  c.expect(". 1:1 ack 1");
  c.peer(". 0:1 ack 1");  // With its octet.
  c.expect(". 1:1 ack 1");
}

}  // namespace
}  // namespace estab::script
