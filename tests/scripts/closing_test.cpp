// SPDX-License-Identifier: Apache-2.0
// Closing: RFC 9293 §3.6, and the arrows of Figure 5 that lead from ESTABLISHED to CLOSED.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include "scenes.hpp"

namespace estab::script {
namespace {

TEST(Closing, Figure_12_we_close_first_FIN_WAIT_1_FIN_WAIT_2_TIME_WAIT_CLOSED) {
  Conversation c;
  c.open_passive();
  c.user_shutdown();
  c.expect("F. 1:1 ack 1", Reason::send_fin);
  c.state(State::fin_wait_1);
  c.peer(". 1:1 ack 2");
  c.state(State::fin_wait_2);
  c.notified(notice::all_acknowledged);
  c.peer("F. 1:1 ack 2");
  c.expect_soon(". 2:2 ack 2");
  c.state(State::time_wait);
  c.wait(61s);
  c.state(State::listen);  // The connection is gone; the listener stays.
}

TEST(Closing, Figure_12_the_peer_closes_first_CLOSE_WAIT_LAST_ACK_CLOSED) {
  Conversation c;
  c.open_passive();
  c.peer("F. 1:1 ack 1");
  c.state(State::close_wait);
  c.notified(notice::peer_closed);
  c.expect_soon(". 1:1 ack 2");
  c.user_receive_end();
  c.user_shutdown();
  c.expect("F. 1:1 ack 2");
  c.state(State::last_ack);
  c.peer(". 2:2 ack 2");
  c.ended_with(Error::none);
  c.state(State::listen);
}

TEST(Closing, Figure_13_both_close_at_once_FIN_WAIT_1_CLOSING_TIME_WAIT) {
  Conversation c;
  c.open_passive();
  c.user_shutdown();
  c.expect("F. 1:1 ack 1");
  c.peer("F. 1:1 ack 1");
  c.state(State::closing);
  c.expect_soon(". 2:2 ack 2");
  c.peer(". 2:2 ack 2");
  c.state(State::time_wait);
  c.ended_with(Error::none);
}

TEST(Closing, FIN_WAIT_1_to_TIME_WAIT_when_the_peers_FIN_acknowledges_ours) {
  Conversation c;
  bring_to(c, State::fin_wait_1);
  c.peer("F. 1:1 ack 2");
  c.state(State::time_wait);
  c.expect_soon(". 2:2 ack 2");
}

TEST(Closing, Three_segments_close_when_the_program_closes_before_its_ACK_goes_out) {
  Conversation c;
  c.open_passive();
  c.peer("F. 1:1 ack 1");
  c.user_shutdown();
  c.expect("F. 1:1 ack 2");  // ACK and FIN in one.
  c.peer(". 2:2 ack 2");
  c.state(State::listen);
  c.wait(1s);
}

TEST(Closing, Half_close_the_peer_sends_for_an_hour_after_our_FIN) {
  Conversation c;
  bring_to(c, State::fin_wait_2);
  std::uint32_t next = 1;
  for (int i = 0; i < 60; ++i, next += 1000) {
    c.wait(60s);
    c.peer(fmt::format("P. {}:{} ack 2", next, next + 1000));
    c.expect_soon(fmt::format(". 2:2 ack {}", next + 1000));
    c.user_receive(1000);
  }
  c.state(State::fin_wait_2);
  c.peer(fmt::format("F. {0}:{0} ack 2", next));
  c.expect_soon(fmt::format(". 2:2 ack {}", next + 1));
  c.user_receive_end();
  c.state(State::time_wait);
}

TEST(Closing, Half_close_we_send_for_an_hour_after_the_peers_FIN) {
  Conversation c;
  bring_to(c, State::close_wait);
  std::uint32_t next = 1;
  for (int i = 0; i < 60; ++i, next += 500) {
    c.wait(60s);
    c.user_send(500);
    c.expect(fmt::format("P. {}:{} ack 2", next, next + 500));
    c.peer(fmt::format(". 2:2 ack {}", next + 500));
  }
  c.state(State::close_wait);
  c.user_shutdown();
  c.expect(fmt::format("F. {0}:{0} ack 2", next));
  c.peer(fmt::format(". 2:2 ack {}", next + 1));
  c.state(State::listen);
}

TEST(Closing, Our_FIN_rides_on_the_last_text_and_follows_all_of_it) {
  Conversation c;
  c.open_passive("win 1000 <mss 1460>");
  c.user_send(2500);
  c.expect(". 1:1001 ack 1");
  c.user_shutdown();
  c.state(State::fin_wait_1);  // It is left when the FIN is queued, not when it is sent.
  c.peer(". 1:1 ack 1001 win 5000");
  c.expect(". 1001:2461 ack 1");
  c.expect("FP. 2461:2501 ack 1");
  c.peer(". 1:1 ack 2502");
  c.state(State::fin_wait_2);
}

TEST(Closing, The_peers_FIN_counts_only_when_all_text_before_it_is_here) {
  Conversation c;
  c.open_passive();
  c.peer("F. 101:201 ack 1");
  c.expect(". 1:1 ack 1", Reason::send_duplicate_ack);
  c.state(State::established);
  c.peer("P. 1:101 ack 1");
  c.expect_soon(". 1:1 ack 202");
  c.state(State::close_wait);
  c.user_receive(200);
  c.user_receive_end();
}

TEST(Closing, Text_after_the_peers_FIN_is_ignored) {
  Conversation c;
  bring_to(c, State::close_wait);
  c.peer("P. 2:102 ack 1");
  c.run(200ms);
  for (const auto& sent : c.take_sent()) EXPECT_EQ(sent.ack, 2u);
  c.user_receive_end();
}

TEST(Closing, A_lost_FIN_is_sent_again) {
  Conversation c;
  bring_to(c, State::fin_wait_1);
  c.expect_between(200ms, 1100ms, "F. 1:1 ack 1");
  c.peer(". 1:1 ack 2");
  c.state(State::fin_wait_2);
  c.wait(5s);
}

TEST(Closing, A_FIN_that_comes_again_is_acknowledged_again) {
  for (const auto state : {State::close_wait, State::closing, State::last_ack}) {
    Conversation c;
    const auto place = bring_to(c, state);
    c.peer(segment("F.", 1, 1));
    c.expect_soon(segment(".", place.snd_nxt, 2));
    c.state(state);
  }
}

TEST(Closing, SHLD_3_closing_with_text_unread_resets) {
  Conversation c;
  c.open_passive();
  c.peer("P. 1:101 ack 1");
  c.expect_soon(". 1:1 ack 101");
  c.user_close();
  c.expect("R. 1:1 ack 101", Reason::close_with_unread);
  c.state(State::listen);
}

TEST(Closing, SHLD_3_text_that_arrives_after_a_full_close_draws_a_reset) {
  Conversation c;
  c.open_passive();
  c.user_close();
  c.expect("F. 1:1 ack 1");
  c.peer(". 1:1 ack 2");
  c.state(State::fin_wait_2);
  c.peer("P. 1:101 ack 2");
  c.expect("R 2:2", Reason::text_after_close);
  c.state(State::listen);
}

TEST(Closing, MAY_1_after_shutdown_alone_the_program_goes_on_reading) {
  Conversation c;
  bring_to(c, State::fin_wait_2);
  c.peer("P. 1:101 ack 2");
  c.expect_soon(". 2:2 ack 101");
  c.user_receive(100);
}

TEST(Closing, An_orphan_leaves_FIN_WAIT_2_after_60_seconds_and_one_with_a_program_stays) {
  Conversation orphan;
  orphan.open_passive();
  orphan.user_close();
  orphan.expect("F. 1:1 ack 1");
  orphan.peer(". 1:1 ack 2");
  orphan.wait(59s);
  orphan.state(State::fin_wait_2);
  orphan.run(2s);
  orphan.take_sent();
  orphan.state(State::listen);
  EXPECT_EQ(orphan.count(Reason::fin_wait_2_timeout), 1u);

  Conversation kept;
  bring_to(kept, State::fin_wait_2);
  kept.wait(3600s);
  kept.state(State::fin_wait_2);
}

TEST(Closing, After_our_FIN_sending_is_refused_and_a_second_one_is_not_sent) {
  Conversation c;
  bring_to(c, State::fin_wait_2);
  std::byte one[1]{};
  EXPECT_EQ(c.stack().send(c.line().id, one, {}, c.now()).error(), Error::shut_down);
  (void)c.stack().shutdown(c.line().id, c.now());
  c.wait(1s);
  c.state(State::fin_wait_2);
}

TEST(Closing, MUST_12_the_program_learns_whether_it_ended_in_order_or_by_a_reset) {
  Conversation normal;
  bring_to(normal, State::last_ack);
  normal.peer(". 2:2 ack 2");
  normal.ended_with(Error::none);
  Conversation reset;
  reset.open_passive();
  reset.peer("R 1:1");
  reset.ended_with(Error::reset);
  reset.user_receive_error(Error::reset);
}

TEST(Closing, Text_that_was_here_before_the_peers_FIN_may_be_read_after_it) {
  Conversation c;
  c.open_passive();
  c.peer("FP. 1:101 ack 1");
  c.expect_soon(". 1:1 ack 102");
  c.user_receive(60);
  c.user_receive(40);
  c.user_receive_end();
  c.user_receive_end();
}

TEST(Closing, Section_3_10_5_ABORT_sends_a_reset_where_the_peer_knows_the_connection) {
  for (const auto state : {State::established, State::fin_wait_1, State::fin_wait_2,
                           State::close_wait, State::syn_received}) {
    Conversation c;
    const auto place = bring_to(c, state);
    c.user_abort();
    c.expect(segment("R.", place.snd_nxt, place.rcv_nxt));
    EXPECT_EQ(c.count(Reason::user_abort) > 0, true) << name(state);
    c.wait(200s);
  }
}

TEST(Closing, Section_3_10_5_ABORT_is_silent_where_both_sides_have_closed_or_nothing_stands) {
  for (const auto state : {State::syn_sent, State::closing, State::last_ack}) {
    Conversation c;
    bring_to(c, state);
    c.user_abort();
    c.wait(200s);
  }
}

TEST(Closing, ABORT_resets_the_peer_that_has_not_seen_the_FIN_that_was_queued) {
  for (const auto state : {State::closing, State::last_ack}) {
    Conversation c;
    c.open_passive("win 10");
    c.user_send(20);
    c.take_sent();
    if (state == State::closing) c.user_shutdown();
    c.peer("F. 1:1 ack 1 win 10");
    if (state == State::last_ack) c.user_shutdown();
    c.run(40ms);
    c.take_sent();
    c.state(state);
    c.user_abort();
    c.expect("R. 11:11 ack 2");
  }
}

TEST(Closing, Keep_alive_probes_go_on_in_FIN_WAIT_2) {
  Conversation c;
  c.open_passive();
  auto options = c.options();
  options.keep_alive = true;
  options.keep_alive_idle = 100s;
  c.user_options(options);
  c.user_shutdown();
  c.expect("F. 1:1 ack 1");
  c.peer(". 1:1 ack 2");
  c.expect_between(99s, 101s, ". 1:1 ack 1");
}

TEST(Closing, A_program_that_uses_a_handle_whose_connection_is_gone_gets_not_connected) {
  Conversation c;
  c.open_passive();
  c.user_abort();
  c.expect("R. 1:1 ack 1");
  std::byte one[1]{};
  const auto id = c.line().id;
  EXPECT_EQ(c.stack().send(id, one, {}, c.now()).error(), Error::not_connected);
  EXPECT_EQ(c.stack().receive(id, one, c.now()).error(), Error::not_connected);
  EXPECT_EQ(c.stack().shutdown(id, c.now()).error(), Error::not_connected);
  EXPECT_EQ(c.stack().close(id, c.now()).error(), Error::not_connected);
  EXPECT_EQ(c.stack().abort(id, c.now()).error(), Error::not_connected);
  EXPECT_EQ(c.stack().status(id, c.now()).error(), Error::not_connected);
}

}  // namespace
}  // namespace estab::script
