// SPDX-License-Identifier: Apache-2.0
// Resets and SYNs that arrive: RFC 9293 §3.10.7.4 second and fourth, RFC 5961 §3, §4, §7.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include "scenes.hpp"

namespace estab::script {
namespace {

TEST(Reset, X_1_outside_the_window_it_is_dropped_in_silence) {
  for (const auto state : connected_states) {
    Conversation c;
    const auto place = bring_to(c, state);
    const auto window = c.status().receive_window;
    for (const std::uint32_t seq : {place.rcv_nxt - 2, place.rcv_nxt - 1000, place.rcv_nxt + window,
                                    place.rcv_nxt + window + 1000, place.rcv_nxt + 0x80000000}) {
      c.peer(segment("R", seq));
      c.peer(segment("R.", seq, place.snd_nxt));
      c.expect_nothing();
      c.state(state);
    }
    EXPECT_EQ(c.count(Reason::rst_out_of_window), 10u) << name(state);
  }
}

TEST(Reset, X_2_at_RCV_NXT_it_resets) {
  for (const auto state : connected_states) {
    Conversation c;
    const auto place = bring_to(c, state);
    c.peer(segment("R", place.rcv_nxt));
    c.state(State::listen);
    const bool both_closed = state == State::closing || state == State::last_ack;
    // §3.10.7.4, second: where both sides had closed there is nobody left to tell.
    if (!both_closed) c.ended_with(Error::reset);
    c.wait(200s);
  }
}

TEST(Reset, X_3_inside_the_window_but_not_at_RCV_NXT_it_draws_a_challenge_ACK) {
  for (const auto state : connected_states) {
    Conversation c;
    const auto place = bring_to(c, state);
    for (const std::uint32_t offset : {1u, 1000u, c.status().receive_window - 1}) {
      c.run(600ms);  // Past the limit of RFC 5961 §7, and maybe a retransmission of our FIN.
      c.take_sent();
      c.peer(segment("R", place.rcv_nxt + offset));
      c.expect(segment(".", place.snd_nxt, place.rcv_nxt), Reason::send_challenge_ack);
      c.state(state);
    }
    EXPECT_EQ(c.count(Reason::rst_challenged), 3u) << name(state);
  }
}

TEST(Reset, X_3_the_peer_that_meant_it_answers_the_challenge_with_the_exact_number) {
  Conversation c;
  c.open_passive();
  c.peer("R 5:5");
  c.expect(". 1:1 ack 1");
  c.peer("R 1:1");  // RFC 9293 §3.10.7.1: to an ACK, SEQ = SEG.ACK.
  c.state(State::listen);
  c.ended_with(Error::reset);
}

TEST(Reset, X_4_a_SYN_in_a_synchronized_state_draws_a_challenge_ACK) {
  for (const auto state : connected_states) {
    Conversation c;
    const auto place = bring_to(c, state);
    for (const std::uint32_t seq :
         {place.rcv_nxt, place.rcv_nxt + 100, place.rcv_nxt - 100, place.rcv_nxt + 500000}) {
      c.run(600ms);
      c.take_sent();
      c.peer(segment("S", seq));
      c.expect(segment(".", place.snd_nxt, place.rcv_nxt));
      c.state(state);
    }
  }
}

TEST(Reset, X_4_a_SYN_ACK_in_ESTABLISHED_draws_an_ACK_and_changes_nothing) {
  Conversation c;
  c.open_active();
  c.peer("S. 0:0 ack 1 win 7");  // Our ACK was lost: the peer says it again.
  c.expect(". 1:1 ack 1");
  c.state(State::established);
  c.user_send(100);
  c.expect("P. 1:101 ack 1");
}

TEST(Reset, X_7_threats_4_a_thousand_resets_in_the_window_close_nothing_and_draw_one_ACK) {
  Conversation c;
  c.open_passive();
  c.wait(1s);
  std::size_t answers = 0;
  for (std::uint32_t i = 1; i <= 1000; ++i) {
    c.peer(segment("R", 1 + i * 60));
    answers += c.take_sent().size();
  }
  EXPECT_EQ(answers, 1u);
  c.state(State::established);
  EXPECT_EQ(c.count(Reason::challenge_limit), 999u);
}

TEST(Reset, X_7_threats_5_a_thousand_SYNs_and_SYN_ACKs_close_nothing_and_draw_one_ACK_each_500_ms) {
  for (const auto* flags : {"S", "S."}) {
    Conversation c;
    c.open_passive();
    c.wait(1s);
    std::size_t answers = 0;
    for (std::uint32_t i = 0; i < 1000; ++i) {
      c.peer(segment(flags, i * 4000000, 1));
      answers += c.take_sent().size();
    }
    EXPECT_EQ(answers, 1u) << flags;
    c.state(State::established);
    c.wait(500ms);
    c.peer(segment(flags, 1, 1));
    c.expect(". 1:1 ack 1", Reason::send_challenge_ack);
  }
}

TEST(Reset, X_7_threats_7_challenges_of_one_connection_take_nothing_from_another) {
  Conversation c;
  c.open_passive();
  c.on(40001).open_passive();
  c.on(Conversation::peer_port);
  for (std::uint32_t i = 1; i <= 300; ++i) c.peer(segment("R", 1 + i)), c.take_sent();
  c.on(40001).peer("R 5:5");
  c.expect(". 1:1 ack 1", Reason::send_challenge_ack);
}

TEST(Reset, SHLD_2_a_reset_may_carry_text) {
  Conversation c;
  c.open_passive();
  c.peer("R 1:21");
  c.state(State::listen);
  c.ended_with(Error::reset);
}

TEST(Reset, MUST_66_a_reset_is_taken_while_our_window_is_shut) {
  Scene scene;
  scene.tcp.defaults.receive_buffer = 4000;
  Conversation c{scene};
  c.open_passive();
  std::uint32_t next = 1;
  for (int i = 0; i < 40 && c.status().receive_window > 0; ++i) {
    const auto text = std::min(1000u, c.status().receive_window);
    c.peer(fmt::format(". {}:{} ack 1", next, next + text));
    next += text;
    c.run(200ms);
    c.take_sent();
  }
  ASSERT_EQ(c.status().receive_window, 0u);
  c.peer(segment("R", next + 1));  // Not acceptable, and no reset of ours.
  c.take_sent();
  c.state(State::established);
  c.peer(segment("R", next));
  c.state(State::listen);
  c.ended_with(Error::reset);
}

TEST(Reset, A_connection_that_was_reset_leaves_nothing_behind) {
  Conversation c;
  c.user_listen();
  c.run(1s);
  const auto before = c.stack().memory();
  for (const auto state : connected_states) {
    const auto port = std::uint16_t(41000 + std::size_t(state));
    c.on(port).open_passive();
    c.user_send(100000);
    c.take_sent();
    c.peer("P. 1001:2001 ack 1");
    c.take_sent();
    c.peer("R 1:1");
    c.ended_with(Error::reset);
    c.user_close();
  }
  c.run(1s);
  EXPECT_TRUE(c.stack().snapshot(c.now()).connections.empty());
  EXPECT_LE(c.stack().memory(), before + 65536);  // Tables may have grown.
}

}  // namespace
}  // namespace estab::script
