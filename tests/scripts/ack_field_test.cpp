// SPDX-License-Identifier: Apache-2.0
// The fifth check (RFC 9293 §3.10.7.4, RFC 5961 §5.2) in every state: which ACKs are taken, what
// they tell of the send window, and what follows when the program closes in SYN-RECEIVED.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include "scenes.hpp"

namespace estab::script {
namespace {

// SYN-RECEIVED by a simultaneous open; the program writes and closes there.
void close_in_syn_received(Conversation& c, std::uint32_t text) {
  bring_to(c, State::syn_received);
  if (text > 0) c.user_send(text);
  c.user_shutdown();
  c.state(State::fin_wait_1);
}

TEST(AckField, After_CLOSE_in_SYN_RECEIVED_the_window_of_the_ACK_is_honoured) {
  Conversation c;
  close_in_syn_received(c, 5000);
  c.peer(". 1:1 ack 1 win 10");
  EXPECT_EQ(c.status().send_window, 10u);
  std::uint32_t edge = 0;
  c.run(1s);
  for (const auto& sent : c.take_sent()) edge = std::max(edge, sent.seq + sent.length);
  EXPECT_EQ(edge, 11u);
  c.notified(notice::connected);
  c.peer(". 1:1 ack 11 win 65535");  // SND.WL1 is known: a later window counts.
  EXPECT_EQ(c.status().send_window, 65535u);
  c.take_sent();
}

TEST(AckField, After_CLOSE_in_SYN_RECEIVED_an_ACK_that_is_not_of_our_SYN_draws_a_reset) {
  for (const int ack : {0, -1, 3, 70000, -70000}) {
    Conversation c;
    close_in_syn_received(c, 0);
    c.expect("F. 1:1 ack 1");
    c.peer(fmt::format(". 1:1 ack {}", ack));
    c.expect(fmt::format("R {}:{}", ack, ack), Reason::syn_received_ack);
    c.state(State::fin_wait_1);
    c.peer(". 1:1 ack 2");
    c.state(State::fin_wait_2);
  }
}

TEST(AckField, After_CLOSE_in_SYN_RECEIVED_a_FIN_that_was_lost_is_sent_again) {
  Conversation c;
  close_in_syn_received(c, 0);
  c.expect("F. 1:1 ack 1");
  c.peer(". 1:1 ack 1");  // Of the SYN alone.
  c.expect_between(200ms, 3500ms, "F. 1:1 ack 1");
  c.peer(". 1:1 ack 2");
  c.state(State::fin_wait_2);
  c.wait(10s);
}

TEST(AckField, An_ACK_below_SND_UNA_never_sets_the_send_window_in_any_state) {
  for (const auto state : connected_states) {
    Conversation c;
    const bool closes_first = state == State::close_wait || state == State::last_ack;
    c.open_passive();
    std::uint32_t rcv = 1;
    if (closes_first) {
      c.peer("F. 1:1 ack 1");
      c.expect_soon(". 1:1 ack 2");
      rcv = 2;
    }
    c.user_send(1000);
    c.take_sent();
    c.peer(segment(".", rcv, 1001));
    std::uint32_t snd = 1001;
    if (state != State::established && state != State::close_wait) {
      c.user_shutdown();
      c.expect("F. 1001:1001");
      ++snd;
    }
    if (state == State::closing) {
      c.peer(segment("F.", rcv++, 1001));
      c.take_sent();
    }
    if (state == State::fin_wait_2) c.peer(segment(".", rcv, snd));
    c.state(state);
    const auto window = c.status().send_window;
    c.peer(segment(".", rcv + 1, 501) + " win 10");  // A later SEG.SEQ, an earlier SEG.ACK.
    EXPECT_EQ(c.status().send_window, window) << name(state);
    c.peer(segment(".", rcv + 1, 1001) + " win 11");
    EXPECT_EQ(c.status().send_window, state == State::fin_wait_2 ? window : 11u) << name(state);
    c.take_sent();
  }
}

TEST(AckField, With_a_FIN_in_flight_an_ACK_of_what_was_never_acknowledged_is_refused) {
  for (const auto state : {State::fin_wait_1, State::closing, State::last_ack})
    for (const int back : {1, 2, 100, 5000, 65534}) {
      Conversation c;
      const auto place = bring_to(c, state);
      c.run(600ms);
      c.take_sent();
      c.peer(fmt::format("P. {}:{} ack {}", place.rcv_nxt, place.rcv_nxt + 100, 1 - back));
      c.expect(segment(".", 2, place.rcv_nxt), Reason::send_challenge_ack);
      EXPECT_EQ(c.count(Reason::ack_too_old), 1u) << name(state) << back;
      EXPECT_EQ(c.status().octets_received, 0u);
    }
}

TEST(AckField, An_ACK_from_before_all_that_was_acknowledged_is_taken_with_its_text) {
  for (const bool fin : {false, true}) {
    Conversation c;
    c.open_passive();
    c.user_send(100);
    c.expect("P. 1:101 ack 1");
    if (fin) {
      c.user_shutdown();
      c.expect("F. 101:101 ack 1");
    }
    c.peer(fmt::format(". 101:101 ack {}", fin ? 102 : 101));  // It overtook the peer's text.
    c.state(fin ? State::fin_wait_2 : State::established);
    c.peer("P. 1:101 ack 1");
    c.expect_soon(fmt::format(". {0}:{0} ack 101", fin ? 102 : 101));
    c.user_receive(100);
    c.peer("P. 101:201 ack 0");
    c.expect_soon(fmt::format(". {0}:{0} ack 101", fin ? 102 : 101));
    EXPECT_EQ(c.count(Reason::ack_too_old), 1u);
  }
}

TEST(AckField, An_ACK_alone_at_the_right_edge_of_our_window_is_taken) {
  for (const bool shut : {false, true}) {
    Scene scene;
    scene.tcp.defaults.receive_buffer = 8000;
    Conversation c{scene};
    c.open_passive("win 2000 <mss 1000>");
    c.user_send(4000);
    c.take_sent();
    const auto edge = 1 + c.status().receive_window;
    // The peer fills our window: behind a hole of 1000 octets, or all of it.
    for (std::uint32_t next = shut ? 1 : 1001; next < edge; next += 1000) {
      c.peer(fmt::format(". {}:{} ack 1 win 2000", next, std::min(next + 1000, edge)));
      c.take_sent();
    }
    c.run(100ms);
    c.take_sent();
    EXPECT_EQ(c.status().receive_window, shut ? 0 : edge - 1);
    c.peer(fmt::format(". {0}:{0} ack 2001 win 2000", edge));
    EXPECT_EQ(c.count(Reason::out_of_window), 0u);
    ASSERT_FALSE(c.take_sent().empty());                           // What the window kept back.
    c.peer(fmt::format(". {0}:{0} ack 4001 win 2000", edge + 1));  // Beyond it: not.
    EXPECT_EQ(c.count(Reason::out_of_window), 1u);
    c.take_sent();
    c.peer(fmt::format("P. {0}:{1} ack 4001 win 2000", edge, edge + 1));
    c.take_sent();
  }
}

// --- What our own segments say where the peer's window has shrunk (MUST-34) ----------------------

TEST(AckField, An_ACK_lies_inside_a_window_that_shrank_below_what_is_in_flight) {
  Conversation c;
  c.open_passive("win 4000 <mss 1000>");
  c.user_send(3000);
  c.take_sent();
  c.peer(". 1:1 ack 1001 win 0");
  c.peer("P. 1:101 ack 1001 win 0");
  c.expect(". 1001:1001 ack 101");
  c.peer("P. 201:301 ack 1001 win 500");  // A duplicate ACK, likewise.
  c.expect(". 1501:1501 ack 101", Reason::send_duplicate_ack);
}

TEST(AckField, Challenges_delayed_ACKs_window_updates_and_resets_lie_inside_a_shrunken_window) {
  Scene scene;
  scene.tcp.quick_acks = 0;
  scene.tcp.defaults.receive_buffer = 8000;
  Conversation c{scene};
  c.open_passive("win 4000 <mss 1000>");
  c.user_send(3000);
  c.take_sent();
  c.peer(". 1:1 ack 1001 win 300");
  c.take_sent();
  c.peer("R 5:5");
  c.expect(". 1301:1301 ack 1", Reason::send_challenge_ack);
  c.peer("P. 1:101 ack 1001 win 300");
  c.expect_between(1ms, 50ms, ". 1301:1301 ack 101");
  std::uint32_t next = 101;
  for (int i = 0; i < 40 && c.status().receive_window > 0; ++i) {
    const auto to = next + std::min(1000u, c.status().receive_window);
    c.peer(fmt::format("P. {}:{} ack 1001 win 300", next, to));
    next = to;
    c.take_sent();
  }
  c.user_receive(next - 1);
  c.expect(fmt::format(". 1301:1301 ack {}", next), Reason::send_window_update);
  c.user_abort();
  c.expect(fmt::format("R. 1301:1301 ack {}", next));
}

TEST(AckField, A_window_that_was_only_rounded_down_to_its_unit_has_not_shrunk) {
  Conversation c{{.tcp = full()}};
  c.open_passive("win 4000 <mss 1460,sackOK,TS 1 0,nop,wscale 7>");
  c.user_send(3000);
  c.take_sent();
  c.peer(". 1:1 ack 1001 win 15 <nop,nop,TS 1001 0>");  // 1920: the edge is at 2921.
  c.peer("P. 1:101 ack 1001 win 15 <nop,nop,TS 1001 0>");
  c.expect(". 3001:3001 ack 101");
  c.peer("P. 101:201 ack 1001 win 10 <nop,nop,TS 1001 0>");  // 1280.
  c.expect(". 2281:2281 ack 201");
  c.peer("P. 201:301 ack 1001 win 0 <nop,nop,TS 1001 0>");
  c.expect(". 1001:1001 ack 301");
}

}  // namespace
}  // namespace estab::script
