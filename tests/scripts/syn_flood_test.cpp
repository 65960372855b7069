// SPDX-License-Identifier: Apache-2.0
// Half-open peers in numbers: the SYN cache, cookies, modes and limits (RFC 4987, threats.md §2).
#include <gtest/gtest.h>

#include "scenes.hpp"

namespace estab::script {
namespace {

Scene cookies(tcp::CookieUse use, tcp::Config config = plain()) {
  config.syn_cookies = use;
  return {.tcp = config};
}
Scene always(const tcp::Config& config = plain()) {
  return cookies(tcp::CookieUse::always, config);
}

// A peer in a network of its own.
Flow stranger(unsigned n) {
  return {{*Address::parse("192.0.2.1"), Port{80}},
          {Address::v4(20, std::uint8_t(n >> 16), std::uint8_t(n >> 8), std::uint8_t(n)),
           Port{std::uint16_t(1024 + n % 60000)}}};
}

void listen(Conversation& c, const ListenOptions& options = {}) {
  c.stack().add_route({*Prefix::parse("0.0.0.0/0"), 0});
  c.user_listen(options);
}

ListenerInfo info(Conversation& c) { return *c.stack().status(c.listener()); }

// So many SYNs, each from another stranger, over that time; what answers them is not looked at.
void flood(Conversation& c, unsigned count, Duration over, unsigned first = 0) {
  for (unsigned n = 0; n < count; ++n) {
    c.on(stranger(first + n * 257)).peer("S 0:0");
    c.run(over / count);
    (void)c.take_sent();
  }
}

// How many of so many SYNs from one host are answered.
std::size_t answers(Conversation& c, std::uint16_t syns) {
  std::size_t answered = 0;
  for (std::uint16_t port = 1; port <= syns; ++port) {
    c.on(port).peer("S 0:0");
    answered += c.take_sent().size();
  }
  return answered;
}

TEST(SynFlood, A_handshake_by_cookie_leaves_no_record_until_the_ACK) {
  Conversation c{always()};
  listen(c);
  c.peer("S 0:0 win 1000 <mss 1460>");
  c.expect("S. 0:0 ack 1 <mss 1460>", Reason::send_cookie);
  c.state(State::listen);
  EXPECT_TRUE(c.stack().snapshot(c.now()).half_open.empty());
  c.peer(". 1:1 ack 1 win 1000");
  c.state(State::established);
  c.user_accept();
  c.user_send(100);
  c.expect("P. 1:101 ack 1");
  c.peer("P. 1:301 ack 101");
  c.expect(". 101:101 ack 301");
  c.user_receive(300);
  EXPECT_EQ(c.count(Reason::cookie_returned), 1u);
  EXPECT_EQ(info(c).cookies_valid, 1u);
}

TEST(SynFlood, With_timestamps_scale_and_SACK_survive_in_the_cookie) {
  Conversation c{always(full())};
  listen(c);
  c.peer("S 0:0 win 60000 <mss 1460,sackOK,TS 100 0,wscale 9>");
  c.expect("S. 0:0 ack 1 <mss 1460,sackOK,TS 0 100,nop,wscale 9>");
  c.peer(". 1:1 ack 1 win 200 <TS 101 0>");
  c.user_accept();
  const auto status = c.status();
  EXPECT_TRUE(status.sack);
  EXPECT_TRUE(status.timestamps);
  EXPECT_EQ(status.send_scale, 9);
  EXPECT_EQ(status.receive_scale, 9);
  EXPECT_EQ(status.send_window, 200u << 9);
}

TEST(SynFlood, Our_timestamps_go_on_from_the_one_in_the_cookie) {
  Conversation c{always(full())};
  listen(c);
  c.peer("S 0:0 win 60000 <mss 1460,sackOK,TS 100 0,wscale 9>");
  c.expect("S. 0:0 ack 1 <mss 1460,sackOK,TS 0 100,nop,wscale 9>");
  c.run(70ms);
  c.peer("P. 1:11 ack 1 win 200 <TS 101 0>");
  c.expect(". 1:1 ack 11 <nop,nop,TS 0 101>");
  c.user_accept();
  c.run(5ms);
  c.user_send(10);
  c.expect("P. 1:11 ack 11 <nop,nop,TS 5 101>");
}

TEST(SynFlood, Without_timestamps_a_cookie_offers_neither_scale_nor_SACK) {
  Conversation c{always(full())};
  listen(c);
  c.peer("S 0:0 win 60000 <mss 1400,sackOK,wscale 9>");
  c.expect("S. 0:0 ack 1 <mss 1460>");
  c.peer(". 1:1 ack 1 win 20000");
  c.user_accept();
  EXPECT_EQ(c.status().send_mss, 1220);  // Rounded down to one that the cookie can carry.
  EXPECT_EQ(c.status().send_window, 20000u);
}

TEST(SynFlood, The_first_text_may_bring_the_cookie_back_when_the_ACK_was_lost) {
  Conversation c{always()};
  listen(c);
  c.peer("S 0:0 <mss 1460>");
  c.expect("S. 0:0 ack 1 <mss 1460>");
  c.peer("P. 1:101 ack 1");
  c.expect_soon(". 1:1 ack 101");
  c.user_accept();
  c.user_receive(100);
}

TEST(SynFlood, Text_after_lost_text_is_no_cookie_and_draws_no_reset_and_no_octet_is_missed) {
  Conversation c{always()};
  listen(c);
  c.peer("S 0:0 <mss 1460>");
  c.expect("S. 0:0 ack 1 <mss 1460>");
  for (const char* late : {"P. 2:12 ack 1", "P. 3:12 ack 1", "P. 101:201 ack 1"}) c.peer(late);
  c.expect_nothing();
  EXPECT_EQ(c.count(Reason::cookie_bad), 3u);
  c.peer("P. 1:101 ack 1");
  c.expect_soon(". 1:1 ack 101");
  c.user_accept();
  c.user_receive(100);
}

TEST(SynFlood, An_ACK_when_no_cookie_of_ours_is_out_is_answered_by_a_reset) {
  Conversation c;
  listen(c);
  c.peer(". 1:1 ack 1");
  c.expect("R 1:1");
}

TEST(SynFlood, A_cookie_that_comes_back_after_32_seconds_opens_nothing) {
  Conversation c{always()};
  listen(c);
  c.peer("S 0:0 <mss 1460>");
  c.expect("S. 0:0 ack 1 <mss 1460>");
  c.run(33s);
  c.peer(". 1:1 ack 1");
  c.expect("R 1:1");
  c.state(State::listen);
}

TEST(SynFlood, Another_host_with_the_same_keys_opens_what_this_one_answered) {
  auto config = plain();
  config.shared_cookies = true;
  Conversation here{always(config)}, there{cookies(tcp::CookieUse::under_pressure, config)};
  const tcp::CookieMaster master{{HashKey{11, 12}, HashKey{13, 14}}};
  for (Conversation* c : {&here, &there}) {
    listen(*c);
    c->stack().set_cookie_keys({.master = master, .previous = {}});
  }
  here.peer("S 0:0");
  here.expect("S. 0:0 ack 1");
  there.line().iss = here.line().iss;
  there.peer("P. 1:11 ack 1");
  there.expect_soon(". 1:1 ack 11");
  there.user_accept();
  there.user_receive(10);
  there.on(40001).peer(". 1:1 ack 1");  // Nobody's cookie: no cookies of this host are out.
  there.expect("R 1:1");
}

TEST(SynFlood, A_full_queue_makes_room_by_its_oldest_record_whose_peer_is_known_all_the_same) {
  Conversation c;
  listen(c, {.half_open_limit = 4, .rules = {}, .options = {}});
  for (const std::uint16_t port : {40001, 40002, 40003}) {
    c.on(port).peer("S 0:0");
    c.expect("S. 0:0 ack 1");
    c.run(400ms);
  }
  (void)c.take_sent();
  c.on(40004).peer("S 0:0");
  c.expect("S. 0:0 ack 1");
  EXPECT_EQ(c.count(Reason::half_open_evicted), 1u);
  c.on(40001).state(State::listen);
  c.on(40001).peer("P. 1:11 ack 1");
  c.expect_soon(". 1:1 ack 11");
  c.user_accept();
  c.user_receive(10);
}

TEST(SynFlood, Records_too_young_to_go_make_the_listener_stateless) {
  Conversation c;
  listen(c, {.half_open_limit = 4, .rules = {}, .options = {}});
  for (const std::uint16_t port : {40001, 40002, 40003}) {
    c.on(port).peer("S 0:0");
    c.expect("S. 0:0 ack 1");
  }
  EXPECT_EQ(info(c).mode, SynMode::pressure);
  c.on(40004).peer("S 0:0");
  c.expect("S. 0:0 ack 1", Reason::send_cookie);
  EXPECT_EQ(info(c).mode, SynMode::stateless);
  EXPECT_EQ(info(c).half_open, 3u);
  c.peer(". 1:1 ack 1");
  c.user_accept();
}

TEST(SynFlood, SYNs_too_fast_make_the_listener_stateless_before_its_queue_is_full) {
  Conversation c;
  listen(c, {.half_open_limit = 8192, .rules = {}, .options = {}});
  flood(c, 4001, 900ms);
  EXPECT_EQ(info(c).mode, SynMode::stateless);
  EXPECT_LT(info(c).half_open, 4001u);
}

TEST(SynFlood, Under_pressure_a_SYN_ACK_is_sent_again_once) {
  Conversation c;
  listen(c, {.half_open_limit = 4, .rules = {}, .options = {}});
  for (const std::uint16_t port : {40001, 40002, 40003}) {
    c.on(port).peer("S 0:0");
    c.expect("S. 0:0 ack 1");
  }
  c.run(20s);
  EXPECT_EQ(c.take_sent().size(), 3u);
  EXPECT_EQ(info(c).syn_acks_retransmitted, 3u);
  EXPECT_EQ(info(c).half_open, 0u);
  EXPECT_EQ(info(c).mode, SynMode::normal);
}

TEST(SynFlood, A_listener_is_normal_again_75_seconds_after_a_flood) {
  Conversation c;
  listen(c, {.half_open_limit = 256, .rules = {}, .options = {}});
  flood(c, 2000, 2s);
  EXPECT_EQ(info(c).mode, SynMode::stateless);
  c.run(75s);
  EXPECT_EQ(info(c).mode, SynMode::normal);
  EXPECT_EQ(info(c).half_open, 0u);
}

TEST(SynFlood, A_flood_that_comes_again_is_met_for_longer) {
  Conversation c;
  listen(c, {.half_open_limit = 64, .rules = {}, .options = {}});
  Duration last{};
  for (int i = 0; i < 3; ++i) {
    flood(c, 200, 100ms, unsigned(i) * 100'000);
    ASSERT_EQ(info(c).mode, SynMode::stateless) << i;
    const auto began = c.elapsed();
    while (info(c).mode != SynMode::normal) c.run(1s), (void)c.take_sent();
    EXPECT_GT(c.elapsed() - began, last) << i;
    last = c.elapsed() - began;
  }
}

TEST(SynFlood, A_network_that_spoke_before_finds_the_last_quarter_free) {
  Conversation c;
  listen(c, {.half_open_limit = 8, .rules = {}, .options = {}});
  c.on(40001).peer("S 0:0");
  c.expect("S. 0:0 ack 1");
  c.peer("P. 1:11 ack 1");
  c.expect_soon(". 1:1 ack 11");
  c.user_accept();
  flood(c, 20, 10ms);
  EXPECT_EQ(info(c).mode, SynMode::stateless);
  EXPECT_EQ(info(c).half_open, 6u);
  c.on(40002).peer("S 0:0");
  c.expect("S. 0:0 ack 1", Reason::send_syn_ack);
  c.on(40003).peer("S 0:0");
  c.expect("S. 0:0 ack 1", Reason::send_syn_ack);
  EXPECT_EQ(info(c).half_open, 8u);
  flood(c, 20, 10ms, 9000);
  c.on(40002).state(State::syn_received);
}

TEST(SynFlood, Threats_39_a_network_that_does_not_answer_gets_so_many_SYN_ACKs_and_no_more) {
  auto config = plain();
  config.prefix_syn_ack_rate = 100;
  Conversation c{always(config)};
  listen(c);
  EXPECT_EQ(answers(c, 300), 100u);
  EXPECT_EQ(c.count(Reason::syn_ack_limit), 200u);
  c.on(stranger(1)).peer("S 0:0");
  c.expect("S. 0:0 ack 1");
  c.run(1s);
  c.on(301).peer("S 0:0");
  c.expect("S. 0:0 ack 1");
}

TEST(SynFlood, A_network_that_answers_is_not_limited) {
  auto config = plain();
  config.prefix_syn_ack_rate = 100;
  Conversation c{cookies(tcp::CookieUse::under_pressure, config)};
  listen(c, {.backlog = 1000, .rules = {}, .options = {}});
  for (std::uint16_t port = 1; port <= 300; ++port) {
    c.on(port).peer("S 0:0");
    c.expect("S. 0:0 ack 1");
    c.peer(". 1:1 ack 1");
  }
  EXPECT_EQ(info(c).accepted, 300u);
}

TEST(SynFlood, Threats_40_resets_to_one_network_are_limited) {
  Conversation c;
  EXPECT_EQ(answers(c, 1000), 100u);
  EXPECT_EQ(c.count(Reason::reset_limit), 900u);
}

TEST(SynFlood, A_challenge_of_a_half_open_peer_that_is_not_sent_is_counted) {
  Conversation c;
  listen(c);
  c.peer("S 0:0");
  c.expect("S. 0:0 ack 1");
  std::size_t challenges = 0;
  for (int i = 0; i < 3000; ++i) {
    c.peer("R 100:100");
    challenges += c.take_sent().size();
  }
  EXPECT_GE(challenges, 1u);
  EXPECT_GE(c.count(Reason::challenge_limit), 1u);
  EXPECT_EQ(c.count(Reason::challenge_limit), 3000u - challenges);
}

TEST(SynFlood, A_cookie_that_finds_the_accept_queue_full_leaves_a_record_that_asks_again) {
  Conversation c{always()};
  listen(c, {.backlog = 0, .rules = {}, .options = {}});
  c.on(40001).peer("S 0:0");
  c.expect("S. 0:0 ack 1");
  c.on(40002).peer("S 0:0");
  c.expect("S. 0:0 ack 1");
  c.on(40001).peer(". 1:1 ack 1");
  c.on(40002).peer(". 1:1 ack 1");
  c.state(State::syn_received);
  c.on(40001).user_accept();
  c.on(40002).expect_between(900ms, 1100ms, "S. 0:0 ack 1");
  c.peer(". 1:1 ack 1");
  c.user_accept();
}

TEST(SynFlood, A_peer_whose_MSS_no_cookie_can_carry_has_a_record_or_nothing) {
  Conversation c{always()};
  listen(c, {.half_open_limit = 2, .rules = {}, .options = {}});
  c.on(40001).peer("S 0:0 <mss 300>");
  c.expect("S. 0:0 ack 1", Reason::send_syn_ack);
  c.on(40002).peer("S 0:0 <mss 300>");
  c.expect("S. 0:0 ack 1", Reason::send_syn_ack);
  c.on(40003).peer("S 0:0 <mss 300>");
  c.expect_nothing();
  EXPECT_EQ(c.count(Reason::half_open_full), 1u);
  c.on(40001).peer(". 1:1 ack 1");
  c.user_accept();
  EXPECT_EQ(c.status().send_mss, 300);
}

TEST(SynFlood, Cookies_without_timestamps_are_checked_so_many_times_a_second) {
  auto config = plain();
  config.cookie_check_rate = 100;
  Conversation c{always(config)};
  listen(c);
  c.peer("S 0:0");
  c.expect("S. 0:0 ack 1");
  for (unsigned n = 0; n < 200; ++n) c.on(stranger(n)).peer(". 5:5 ack 7777");
  c.expect_nothing();
  EXPECT_GE(info(c).cookies_limited, 100u);
  EXPECT_LE(info(c).cookies_bad, 100u);
  c.run(1s);
  c.on(Conversation::peer_port).peer(". 1:1 ack 1");
  c.user_accept();
}

}  // namespace
}  // namespace estab::script
