// SPDX-License-Identifier: Apache-2.0
// Opening: RFC 9293 §3.5, and the arrows of Figure 5 that lead to ESTABLISHED.
#include <gtest/gtest.h>

#include "scenes.hpp"

namespace estab::script {
namespace {

TEST(Opening, Figure_5_passive_LISTEN_then_SYN_RECEIVED_then_ESTABLISHED) {
  Conversation c;
  c.state(State::closed);
  c.user_listen();
  c.state(State::listen);
  c.peer("S 0:0 win 65535 <mss 1460>");
  c.expect("S. 0:0 ack 1 win 64240 <mss 1460>", Reason::send_syn_ack);
  c.state(State::syn_received);
  c.peer(". 1:1 ack 1");
  c.state(State::established);
  c.notified(notice::acceptable);
  c.user_accept();
}

TEST(Opening, Figure_5_active_SYN_SENT_then_ESTABLISHED) {
  Conversation c;
  c.user_connect();
  c.state(State::syn_sent);
  c.expect("S 0:0 win 64240 <mss 1460>", Reason::send_syn);
  c.peer("S. 0:0 ack 1 win 65535 <mss 1460>");
  c.expect(". 1:1 ack 1 <>");
  c.state(State::established);
  c.notified(notice::connected);
}

TEST(Opening, Options_of_a_SYN_stand_in_Linuxs_order_and_a_SYN_ACK_offers_what_was_asked) {
  Conversation active{{.tcp = full()}};
  active.user_connect();
  active.expect("S 0:0 win 64240 <mss 1460,sackOK,TS 0 0,nop,wscale .>");
  active.peer("S. 0:0 ack 1 win 65160 <mss 1460,sackOK,TS 700 0,nop,wscale 7>");
  active.expect(". 1:1 ack 1 <nop,nop,TS 0 700>");

  Conversation passive{{.tcp = full()}};
  passive.user_listen();
  passive.peer("S 0:0 win 64240 <mss 1460,sackOK,TS 700 0,nop,wscale 7>");
  passive.expect("S. 0:0 ack 1 win 65160 <mss 1460,sackOK,TS 0 700,nop,wscale .>");
  passive.on(40001).peer("S 0:0 win 64240 <mss 1460>");
  passive.expect("S. 0:0 ack 1 <mss 1460>");
  passive.on(40002).peer("S 0:0 win 64240 <mss 1460,nop,nop,sackOK,nop,wscale 7>");
  passive.expect("S. 0:0 ack 1 <mss 1460,nop,nop,sackOK,nop,wscale .>");
}

TEST(Opening, Figure_5_LISTEN_to_SYN_SENT_by_OPEN_on_a_listening_socket) {
  Conversation c;
  c.user_listen();
  c.user_connect_listener();
  c.expect("S 0:0");
  c.state(State::syn_sent);
  c.peer("S. 0:0 ack 1");
  c.expect(". 1:1 ack 1");
  c.state(State::established);
}

TEST(Opening, Figure_5_LISTEN_to_CLOSED_by_CLOSE) {
  Conversation c;
  c.user_listen();
  c.check(c.stack().close(c.listener(), c.now()).has_value(), "close failed");
  c.state(State::closed);
  c.peer("S 0:0");
  c.expect("R. 0:0 ack 1");
}

TEST(Opening, MUST_10_SYNs_that_cross_open_one_connection) {
  Conversation c;
  c.user_connect();
  c.expect("S 0:0");
  c.peer("S 0:0 win 65535 <mss 1460>");
  c.expect("S. 0:0 ack 1 <mss 1460>", Reason::send_syn_ack);
  c.state(State::syn_received);
  c.peer("S. 0:0 ack 1 win 65535 <mss 1460>");  // Figure 8, line 6.
  c.state(State::established);
  c.notified(notice::connected);
  c.run(200ms);  // An ACK of the second SYN may go out, once.
  EXPECT_LE(c.take_sent().size(), 1u);
  c.user_send(100);
  c.expect("P. 1:101 ack 1");
}

TEST(Opening, MUST_10_a_simultaneous_open_is_finished_by_an_ACK_alone_as_well) {
  Conversation c;
  bring_to(c, State::syn_received);
  c.peer(". 1:1 ack 1");
  c.state(State::established);
}

TEST(Opening, The_SYN_ACK_of_a_simultaneous_open_offers_only_what_the_peers_SYN_did) {
  Conversation c{{.tcp = full()}};
  c.user_connect();
  c.expect("S 0:0 <mss 1460,sackOK,TS 0 0,nop,wscale .>");
  c.peer("S 0:0 win 65535 <mss 1460>");
  c.expect("S. 0:0 ack 1 <mss 1460>");
}

TEST(Opening, MUST_11_X_9_a_reset_in_SYN_RECEIVED_after_a_passive_open_leads_back_to_LISTEN) {
  Conversation c;
  c.user_listen();
  c.peer("S 0:0");
  c.expect("S. 0:0 ack 1");
  c.peer("R 1:1");
  c.state(State::listen);
  EXPECT_EQ(c.count(Reason::back_to_listen), 1u);
  c.peer("S 0:0");  // And it listens indeed.
  c.expect("S. 0:0 ack 1");
}

TEST(Opening, MUST_11_X_9_a_reset_in_SYN_RECEIVED_after_an_active_open_reports_refused) {
  Conversation c;
  bring_to(c, State::syn_received);
  c.peer("R 1:1");
  c.state(State::closed);
  c.ended_with(Error::refused);
}

TEST(Opening, A_reset_in_SYN_RECEIVED_must_be_exact_as_in_the_synchronized_states) {
  Conversation c;
  c.user_listen();
  c.peer("S 0:0");
  c.expect("S. 0:0 ack 1");
  c.peer("R 0:0");     // Before the window: silence.
  c.peer("R 100000");  // Behind it.
  c.state(State::syn_received);
  c.peer("R 2:2");  // Inside: a challenge.
  c.expect(". 1:1 ack 1", Reason::send_challenge_ack);
  c.state(State::syn_received);
}

TEST(Opening, A_SYN_that_comes_again_draws_the_SYN_ACK_again) {
  Conversation c;
  c.user_listen();
  c.peer("S 0:0");
  c.expect("S. 0:0 ack 1");
  c.wait(500ms);
  c.peer("S 0:0");
  c.expect("S. 0:0 ack 1");
  c.state(State::syn_received);
}

TEST(Opening, An_ACK_of_what_was_never_sent_in_SYN_RECEIVED_draws_a_reset) {
  Conversation c;
  c.user_listen();
  c.peer("S 0:0");
  c.expect("S. 0:0 ack 1");
  c.peer(". 1:1 ack 9");
  c.expect("R 9:9");
  c.state(State::syn_received);
}

TEST(Opening, Section_3_10_7_3_SYN_SENT_an_unacceptable_ACK_draws_a_reset_unless_it_is_one) {
  Conversation c;
  bring_to(c, State::syn_sent);
  c.peer(". 5:5 ack 7");
  c.expect("R 7:7");
  c.wait(500ms);  // One reset in that time.
  c.peer("S. 0:0 ack 0");
  c.expect("R 0:0");
  c.peer("R. 0:0 ack 7");
  c.state(State::syn_sent);
  EXPECT_EQ(c.count(Reason::syn_sent_ack), 2u);
}

TEST(Opening, X_6_SYN_SENT_only_a_reset_that_acknowledges_exactly_our_SYN_refuses) {
  Conversation c;
  bring_to(c, State::syn_sent);
  c.peer("R 0:0");
  c.peer("R 1:1");
  c.peer("R. 0:0 ack 0");
  c.peer("R. 0:0 ack 2");
  c.state(State::syn_sent);
  c.peer("R. 0:0 ack 1");
  c.state(State::closed);
  c.ended_with(Error::refused);
}

TEST(Opening, Section_3_10_7_3_SYN_SENT_without_SYN_or_RST_a_segment_is_dropped) {
  Conversation c;
  bring_to(c, State::syn_sent);
  c.peer(". 1:1 ack 1");
  c.peer("P. 1:101 ack 1");
  c.state(State::syn_sent);
  EXPECT_EQ(c.count(Reason::syn_sent_no_syn), 2u);
}

TEST(Opening, Text_on_a_SYN_ACK_is_queued) {
  Conversation c;
  bring_to(c, State::syn_sent);
  c.peer("S. 0:100 ack 1");
  c.expect(". 1:1 ack 101");
  c.user_receive(100);
}

TEST(Opening, Text_on_the_last_ACK_of_the_handshake_is_queued) {
  Conversation c;
  c.user_listen();
  c.peer("S 0:0");
  c.expect("S. 0:0 ack 1");
  c.peer("P. 1:101 ack 1");
  c.expect_soon(". 1:1 ack 101");
  c.user_accept();
  c.user_receive(100);
}

TEST(Opening, Text_on_a_SYN_is_not_acknowledged_before_the_handshake) {
  Conversation c;
  c.user_listen();
  c.peer("S 0:100");
  c.expect("S. 0:0 ack 1");
}

TEST(Opening, X_10_a_FIN_is_not_processed_in_CLOSED_LISTEN_or_SYN_SENT) {
  Conversation c;
  c.peer("F 3:3");
  c.expect("R. 0:0 ack 4");
  c.state(State::closed);
  c.user_listen();
  c.peer("F 3:3");
  c.peer("SF 3:3");
  c.state(State::listen);
  Conversation active;
  bring_to(active, State::syn_sent);
  active.peer("F 0:0");
  active.peer("F. 0:0 ack 1");
  active.state(State::syn_sent);
}

TEST(Opening, A_SYN_ACK_with_a_FIN_opens_and_then_leads_to_CLOSE_WAIT) {
  Conversation c;
  bring_to(c, State::syn_sent);
  c.peer("SF. 0:0 ack 1");
  c.expect_soon(". 1:1 ack 2");
  c.state(State::close_wait);
}

TEST(Opening, Section_3_10_7_1_CLOSED_answers_with_a_reset_that_the_peer_believes) {
  Conversation c;
  c.peer("S 0:0");
  c.expect("R. 0:0 ack 1");
  c.peer("S 0:100");
  c.expect("R. 0:0 ack 101");
  c.peer(". 5:5 ack 9");
  c.expect("R 9:9");
  c.peer("P. 5:15 ack 9");
  c.expect("R 9:9");
  c.peer("R 5:5");
  c.peer("R. 5:5 ack 9");
  EXPECT_EQ(c.count(Reason::closed_port), 4u);
  EXPECT_EQ(c.count(Reason::closed_rst), 2u);
}

TEST(Opening, Section_3_10_7_2_LISTEN_answers_an_ACK_with_a_reset_and_a_reset_with_silence) {
  Conversation c;
  c.user_listen();
  c.peer(". 5:5 ack 9");
  c.expect("R 9:9", Reason::listen_ack);
  c.peer("S. 5:5 ack 9");
  c.expect("R 9:9");
  c.peer("R 5:5");
  c.peer("R. 5:5 ack 9");
  c.state(State::listen);
}

TEST(Opening, Section_3_10_4_CLOSE_in_SYN_SENT_deletes_the_connection_in_silence) {
  Conversation c;
  bring_to(c, State::syn_sent);
  c.user_close();
  c.state(State::closed);
}

TEST(Opening, Figure_5_SYN_RECEIVED_to_FIN_WAIT_1_by_CLOSE) {
  Conversation c;
  bring_to(c, State::syn_received);
  c.user_shutdown();
  c.state(State::fin_wait_1);
  c.expect("F. 1:1 ack 1", Reason::send_fin);
  c.peer(". 1:1 ack 2");
  c.state(State::fin_wait_2);
}

TEST(Opening, Text_sent_before_the_handshake_ends_follows_it) {
  Conversation c;
  bring_to(c, State::syn_sent);
  c.user_send(300);
  c.peer("S. 0:0 ack 1");
  c.expect("P. 1:301 ack 1");
}

}  // namespace
}  // namespace estab::script
