// SPDX-License-Identifier: Apache-2.0
// TIME-WAIT: RFC 9293 §3.6.1, RFC 1337, RFC 6191.
#include <gtest/gtest.h>

#include "scenes.hpp"

namespace estab::script {
namespace {

Scene with_timestamps() {
  Scene scene;
  scene.tcp.timestamps = true;
  return scene;
}

// With timestamps: the peer's clock shows 1000 at the end.
void time_wait_at_1000(Conversation& c) {
  c.user_listen();
  c.peer("S 0:0 <mss 1460,nop,nop,TS 900 0>");
  c.expect("S. 0:0 ack 1 <mss 1460,nop,nop,TS 0 900>");
  c.peer(". 1:1 ack 1 <nop,nop,TS 900 0>");
  c.user_accept();
  c.user_shutdown();
  c.expect("F. 1:1 ack 1");
  c.peer("F. 1:1 ack 2 <nop,nop,TS 1000 0>");
  c.expect_soon(". 2:2 ack 2 <nop,nop,TS . 1000>");
  c.state(State::time_wait);
}

TEST(TimeWait, MUST_13_it_lasts_twice_the_segment_lifetime_60_seconds_unless_set_otherwise) {
  for (const Duration twice_msl : {60s, 240s}) {
    Scene scene;
    scene.tcp.time_wait = twice_msl;
    Conversation c{scene};
    bring_to(c, State::time_wait);
    c.wait(twice_msl - 300ms);
    c.state(State::time_wait);
    c.wait(400ms);
    c.state(State::listen);
    EXPECT_EQ(c.count(Reason::time_wait_over), 1u);
  }
}

TEST(TimeWait, X_11_a_FIN_that_comes_again_is_acknowledged_and_the_wait_begins_anew) {
  Conversation c;
  bring_to(c, State::time_wait);
  c.wait(40s);
  c.peer("F. 1:1 ack 2");
  c.expect(". 2:2 ack 2");
  c.wait(59s);
  c.state(State::time_wait);
  c.wait(2s);
  c.state(State::listen);
  EXPECT_EQ(c.count(Reason::time_wait_restart), 1u);
}

TEST(TimeWait, RFC_1337_threats_36_neither_a_reset_nor_old_text_nor_an_old_ACK_ends_it) {
  Conversation c;
  const auto place = bring_to(c, State::time_wait);
  c.peer(segment("R", place.rcv_nxt));
  c.peer(segment("R.", place.rcv_nxt, place.snd_nxt));
  c.peer("P. 1:2 ack 1");
  c.expect(". 2:2 ack 2");
  c.peer(". 1:1 ack 1");
  c.run(1s);
  c.take_sent();
  c.state(State::time_wait);
  c.wait(58s);
  c.state(State::time_wait);  // And they do not prolong it.
  c.wait(2s);
  c.state(State::listen);
}

TEST(TimeWait, A_reset_ends_it_where_the_setting_says_so_as_on_Linux) {
  Scene scene;
  scene.tcp.rst_ends_time_wait = true;
  Conversation c{scene};
  bring_to(c, State::time_wait);
  c.peer("R 100000");
  c.state(State::time_wait);
  c.peer("R 2:2");
  c.state(State::listen);
}

TEST(TimeWait, MAY_2_a_new_SYN_behind_the_last_number_opens_anew) {
  Conversation c;
  bring_to(c, State::time_wait);
  c.wait(1s);
  const auto old_next = c.line().iss.value_or(0) + 2;
  const auto peer_iss = c.line().peer_iss + 1000;
  c.new_incarnation(peer_iss);
  c.peer("S 0:0 <mss 1460>");
  c.expect("S. 0:0 ack 1");
  EXPECT_GT(Seq(c.line().iss.value_or(0)), Seq(old_next));  // Nothing old can be taken for new.
  c.peer(". 1:1 ack 1");
  c.state(State::established);
  EXPECT_EQ(c.count(Reason::time_wait_reuse), 1u);
}

TEST(TimeWait, A_SYN_before_the_last_number_is_answered_by_an_ACK_alone) {
  Conversation c;
  bring_to(c, State::time_wait);
  c.peer("S 1:1 <mss 1460>");
  c.expect(". 2:2 ack 2");
  c.peer("S -5000 <mss 1460>");
  c.run(1s);
  for (const auto& sent : c.take_sent()) EXPECT_EQ(sent.flags, 0x10);
  c.state(State::time_wait);
}

TEST(TimeWait, SHLD_4_RFC_6191_a_later_timestamp_opens_anew_whatever_the_number) {
  Conversation c{with_timestamps()};
  time_wait_at_1000(c);
  c.wait(1s);
  c.new_incarnation(c.line().peer_iss - 5000);
  c.peer("S 0:0 <mss 1460,nop,nop,TS 1500 0>");
  c.expect("S. 0:0 ack 1");
  c.state(State::syn_received);
}

TEST(TimeWait, RFC_6191_an_older_timestamp_does_not_open_anew) {
  Conversation c{with_timestamps()};
  time_wait_at_1000(c);
  c.peer("S 100000 <mss 1460,nop,nop,TS 999 0>");
  c.run(1s);
  for (const auto& sent : c.take_sent()) EXPECT_EQ(sent.flags, 0x10);
  c.state(State::time_wait);
}

TEST(TimeWait, RFC_6191_the_same_timestamp_opens_anew_only_behind_the_last_number) {
  Conversation c{with_timestamps()};
  time_wait_at_1000(c);
  c.peer("S 1:1 <mss 1460,nop,nop,TS 1000 0>");
  c.run(1s);
  c.take_sent();
  c.state(State::time_wait);
  c.new_incarnation(c.line().peer_iss + 100);
  c.peer("S 0:0 <mss 1460,nop,nop,TS 1000 0>");
  c.expect("S. 0:0 ack 1");
}

TEST(TimeWait, Without_a_listener_a_new_SYN_does_not_end_it) {
  Conversation c;
  c.open_active();
  c.user_shutdown();
  c.expect("F. 1:1 ack 1");
  c.peer("F. 1:1 ack 2");
  c.expect_soon(". 2:2 ack 2");
  c.state(State::time_wait);
  c.peer("S 70000 <mss 1460>");
  c.run(1s);
  c.take_sent();
  c.state(State::time_wait);
}

TEST(TimeWait, Its_records_have_a_limit_and_the_connection_beyond_it_is_closed_at_once) {
  Scene scene;
  scene.tcp.time_wait_limit = 2;
  Conversation c{scene};
  c.user_listen();
  for (const std::uint16_t port : {40001, 40002, 40003}) {
    c.on(port).open_passive();
    c.user_close();
    c.expect("F. 1:1 ack 1");
    c.peer("F. 1:1 ack 2");
    c.expect_soon(". 2:2 ack 2");
  }
  EXPECT_EQ(c.stack().snapshot(c.now()).time_wait.size(), 2u);
  EXPECT_EQ(c.count(Reason::time_wait_limit), 1u);
}

TEST(TimeWait, The_program_may_read_what_came_before_the_FIN) {
  Conversation c;
  bring_to(c, State::fin_wait_2);
  c.peer("FP. 1:101 ack 2");
  c.expect_soon(". 2:2 ack 102");
  c.state(State::time_wait);
  c.user_receive(100);
  c.user_receive_end();
}

}  // namespace
}  // namespace estab::script
