// SPDX-License-Identifier: Apache-2.0
// A listener's two queues and its rules: RFC 9293 §3.9.1.1, behaviour "Backlog".
#include <gtest/gtest.h>

#include "scenes.hpp"

namespace estab::script {
namespace {

void handshake(Conversation& c, std::uint16_t port) {
  c.on(port).peer("S 0:0");
  c.expect("S. 0:0 ack 1");
  c.peer(". 1:1 ack 1");
}

TEST(Listener, The_accept_queue_holds_backlog_and_one_then_a_SYN_is_dropped) {
  Conversation c;
  c.user_listen({.backlog = 2, .rules = {}, .options = {}});
  for (const std::uint16_t port : {40001, 40002, 40003}) handshake(c, port);
  c.on(40004).peer("S 0:0");
  c.expect_nothing();
  const auto info = c.stack().status(c.listener());
  EXPECT_EQ(info->accept_queue, 3u);
  EXPECT_GE(info->accept_overflows, 1u);
  EXPECT_EQ(c.count(Reason::accept_queue_full), 1u);
  c.user_accept();  // Room for one.
  c.peer("S 0:0");
  c.expect("S. 0:0 ack 1");
}

TEST(Listener, A_last_ACK_that_finds_the_queue_full_is_dropped_and_the_record_stays) {
  Conversation c;
  c.user_listen({.backlog = 0, .rules = {}, .options = {}});
  c.on(40001).peer("S 0:0");
  c.expect("S. 0:0 ack 1");
  c.on(40002).peer("S 0:0");
  c.expect("S. 0:0 ack 1");
  c.on(40001).peer(". 1:1 ack 1");
  c.on(40002).peer(". 1:1 ack 1");
  c.state(State::syn_received);
  c.on(40001).user_accept();
  c.on(40002).peer(". 1:1 ack 1");
  c.state(State::established);
}

TEST(Listener, Connections_are_accepted_in_the_order_of_their_handshakes) {
  Conversation c;
  c.user_listen();
  for (const std::uint16_t port : {40003, 40001, 40002}) handshake(c, port);
  for (const std::uint16_t port : {40003, 40001, 40002}) {
    c.on(port).user_accept();
    EXPECT_EQ(number(c.status().flow.remote.port), port);
  }
  EXPECT_EQ(c.stack().accept(c.listener()).error(), Error::would_block);
}

TEST(Listener, Without_cookies_half_open_records_have_a_limit_and_those_there_go_on) {
  Scene scene;
  scene.tcp.syn_cookies = tcp::CookieUse::never;
  Conversation c{scene};
  c.user_listen({.half_open_limit = 2, .rules = {}, .options = {}});
  for (const std::uint16_t port : {40001, 40002}) {
    c.on(port).peer("S 0:0");
    c.expect("S. 0:0 ack 1");
  }
  c.on(40003).peer("S 0:0");
  c.expect_nothing();
  EXPECT_EQ(c.count(Reason::half_open_full), 1u);
  EXPECT_EQ(c.stack().status(c.listener())->half_open, 2u);
  c.on(40001).peer(". 1:1 ack 1");
  c.user_accept();
}

TEST(Listener, The_first_rule_that_holds_the_peer_accepts_rejects_or_drops) {
  Conversation c;
  const auto rule = [](const char* prefix, Verdict verdict) {
    return ListenRule{*Prefix::parse(prefix), verdict};
  };
  c.user_listen(
      {.rules = {rule("192.0.2.2/32", Verdict::reject), rule("192.0.2.0/25", Verdict::drop),
                 rule("192.0.2.0/24", Verdict::accept)},
       .options = {}});
  const auto from = [&](const char* address) {
    return Flow{{*Address::parse("192.0.2.1"), Port{80}}, {*Address::parse(address), Port{40000}}};
  };
  c.peer("S 0:0");
  c.expect("R. 0:0 ack 1");
  EXPECT_EQ(c.count(Reason::listen_rejected), 1u);
  c.on(from("192.0.2.3")).peer("S 0:0");
  c.expect_nothing();
  EXPECT_EQ(c.count(Reason::listen_dropped), 1u);
  c.on(from("192.0.2.200")).peer("S 0:0");
  c.expect("S. 0:0 ack 1");
}

TEST(Listener, A_deferred_SYN_waits_for_the_programs_word) {
  Conversation c;
  c.user_listen({.rules = {}, .otherwise = Verdict::defer, .options = {}});
  for (const std::uint16_t port : {40001, 40002, 40003}) c.on(port).peer("S 0:0");
  c.expect_nothing();
  for (const auto& [port, verdict, answer] : {std::tuple{40001, Verdict::accept, "S. 0:0 ack 1"},
                                              {40002, Verdict::reject, "R. 0:0 ack 1"},
                                              {40003, Verdict::drop, ""}}) {
    const auto deferred = c.stack().next_deferred(c.listener());
    ASSERT_TRUE(deferred);
    EXPECT_EQ(number(deferred->flow.remote.port), port);
    ASSERT_TRUE(c.stack().decide(deferred->id, verdict, c.now()));
    c.on(std::uint16_t(port)).run(0s);
    if (*answer) c.expect(answer);
    c.expect_nothing();
  }
  EXPECT_FALSE(c.stack().next_deferred(c.listener()));
  c.on(40001).peer(". 1:1 ack 1");
  c.user_accept();
}

TEST(Listener, A_deferred_SYN_that_nobody_decides_expires_in_silence) {
  Conversation c;
  c.user_listen({.rules = {}, .otherwise = Verdict::defer, .options = {}});
  c.peer("S 0:0");
  c.wait(60s);
  EXPECT_FALSE(c.stack().next_deferred(c.listener()));
  EXPECT_TRUE(c.stack().snapshot(c.now()).half_open.empty());
}

TEST(Listener, Closing_it_resets_those_half_open_and_not_accepted_and_no_other) {
  Conversation c;
  c.on(40001).open_passive();
  handshake(c, 40002);
  c.on(40003).peer("S 0:0");
  c.expect("S. 0:0 ack 1");
  ASSERT_TRUE(c.stack().close(c.listener(), c.now()));
  c.run(0s);
  EXPECT_EQ(c.take_sent().size(), 2u);
  c.on(40002).state(State::closed);
  c.on(40003).state(State::closed);
  c.on(40001).state(State::established);
  EXPECT_FALSE(c.stack().status(c.listener()));
}

TEST(Listener, A_connection_whose_peer_left_before_accept_tells_the_program_all_the_same) {
  Conversation c;
  c.user_listen();
  c.peer("S 0:0");
  c.expect("S. 0:0 ack 1");
  c.peer("P. 1:101 ack 1");
  c.expect_soon(". 1:1 ack 101");
  c.peer("F. 101:101 ack 1");
  c.expect_soon(". 1:1 ack 102");
  c.user_accept();
  c.user_receive(100);
  c.user_receive_end();
  c.user_shutdown();
  c.expect("F. 1:1 ack 102");
}

TEST(Listener, Threats_39_a_forged_SYN_draws_at_most_four_packets_and_no_text) {
  Conversation c;
  c.user_listen();
  c.peer("SP 0:1000");
  c.run(100s);
  const auto sent = c.take_sent();
  EXPECT_LE(sent.size(), 4u);
  for (const auto& segment : sent) EXPECT_EQ(segment.length, 0u);
}

TEST(Listener, Memory_spent_refuses_the_newcomer_and_those_here_go_on) {
  Scene scene;
  scene.tcp.memory_limit = 256 << 10;
  Conversation c{scene};
  c.user_listen({.backlog = 5000, .half_open_limit = 5000, .rules = {}, .options = {}});
  c.on(40001).open_passive();
  std::size_t refused = 0;
  for (std::uint16_t port = 41000; port < 43000; ++port) {
    c.on(port).peer("S 0:0");
    if (c.take_sent().empty()) ++refused;
    else c.peer(". 1:1 ack 1");
    c.take_sent();
  }
  EXPECT_GT(refused, 0u);
  EXPECT_GT(c.count(Reason::memory_limit), 0u);
  c.on(40001).user_send(1000);
  c.expect(". 1:537 ack 1");
  c.take_sent();
  c.peer("P. 1:1001 ack 1001");
  c.run(200ms);
  c.take_sent();
  c.user_receive(1000);
}

}  // namespace
}  // namespace estab::script
