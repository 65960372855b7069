// SPDX-License-Identifier: Apache-2.0
// A half-open record answers as the connection would: RFC 9293 §3.10.7.4 (SYN-RECEIVED), RFC 7323
// §3.2, RFC 5961 §3.2, RFC 5927 §4.1.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include "scenes.hpp"

namespace estab::script {
namespace {

constexpr const char* full_syn = "S 0:0 win 65535 <mss 1460,sackOK,TS 1 0,nop,wscale 7>";

// A record for the line's peer, with all options.
void half_open(Conversation& c, const ListenOptions& options = {}) {
  c.user_listen(options);
  c.peer(full_syn);
  c.expect("S. 0:0 ack 1 win 65160 <mss 1460,sackOK,TS 0 1,nop,wscale 9>");
}

// Fills the queue with young records, so that the line's, which is old, has to go.
void push_out(Conversation& c) {
  for (std::uint16_t port = 50001; port <= 50003; ++port) {
    c.on(port).peer("S 0:0");
    (void)c.take_sent();
  }
  c.on(Conversation::peer_port).state(State::listen);
  ASSERT_GE(c.count(Reason::half_open_evicted), 1u);
}
const ListenOptions few{.half_open_limit = 4, .rules = {}, .options = {}};

TEST(HalfOpen, Its_ACK_offers_the_window_of_the_SYN_ACK) {
  for (const auto& [buffer, window] : {std::pair{1u << 20, 64240}, {10'000u, 8760}, {900u, 900}}) {
    Conversation c;
    tcp::Options options;
    options.receive_buffer = buffer;
    c.user_listen({.rules = {}, .options = options});
    c.peer("S 0:0 <mss 1460>");
    c.expect(fmt::format("S. 0:0 ack 1 win {}", window));
    c.peer(". 0:0 ack 1");  // A keep-alive of a peer whose last ACK was lost.
    c.expect(fmt::format(". 1:1 ack 1 win {}", window));
  }
}

TEST(HalfOpen, Its_ACK_is_scaled_once_scaling_was_agreed_and_has_the_timestamps) {
  Conversation c{{.tcp = full()}};
  half_open(c);
  c.wait(640ms);
  c.peer(". 0:0 ack 1 <nop,nop,TS 640 0>");
  c.expect(". 1:1 ack 1 win 127 <nop,nop,TS 640 1>", Reason::send_challenge_ack);
}

TEST(HalfOpen, Its_answers_have_the_listeners_hop_limit_and_DSCP) {
  Conversation c{{.tcp = full()}};
  tcp::Options options;
  options.hop_limit = 9, options.dscp = 46;
  half_open(c, {.rules = {}, .options = options});
  for (const char* wrong : {". 0:0 ack 1 <TS 1 0>", ". 1:1 ack 100 <TS 1 0>"}) {
    c.peer(wrong);
    ASSERT_EQ(c.take_sent().size(), 1u) << wrong;
    EXPECT_EQ(c.last_ip().hop_limit, 9) << wrong;
    EXPECT_EQ(c.last_ip().dscp, 46) << wrong;
  }
}

TEST(HalfOpen, A_reset_is_judged_by_the_window_that_the_SYN_ACK_offered) {
  for (const std::uint32_t buffer : {1u << 20, 10'000u}) {
    Conversation c;
    tcp::Options options;
    options.receive_buffer = buffer;
    const std::uint32_t window = buffer > 65535 ? 64240 : 8760;
    c.user_listen({.rules = {}, .options = options});
    c.peer("S 0:0 <mss 1460>");
    c.expect("S. 0:0 ack 1");
    c.peer(segment("R", 1 + window));
    c.expect_nothing();
    EXPECT_EQ(c.count(Reason::rst_out_of_window), 1u);
    c.peer(segment("R", window));  // The last number of the window.
    c.expect(". 1:1 ack 1", Reason::send_challenge_ack);
    c.state(State::syn_received);
    c.peer("R 1:1");
    c.state(State::listen);
  }
}

TEST(HalfOpen, A_SYN_ACK_that_is_sent_again_shows_the_time) {
  Conversation c{{.tcp = full()}};
  half_open(c);
  c.expect_between(1s, 1s, "S. 0:0 ack 1 <mss 1460,sackOK,TS 960 1,nop,wscale 9>");
  c.wait(300ms);
  c.peer("S 0:0 win 65535 <mss 1460,sackOK,TS 1301 0,nop,wscale 7>");
  c.expect("S. 0:0 ack 1 <mss 1460,sackOK,TS 1280 1301,nop,wscale 9>");
  c.expect_between(1700ms, 1700ms, "S. 0:0 ack 1 <mss 1460,sackOK,TS 2944 1301,nop,wscale 9>");
  c.peer(". 1:1 ack 1 <nop,nop,TS 3000 2944>");
  c.user_accept();
  c.user_send(10);
  c.expect("P. 1:11 ack 1 <nop,nop,TS 3000 3000>");  // And the clock never went back.
}

TEST(HalfOpen, A_SYN_ACK_that_was_sent_again_is_known_by_its_cookie_once_the_record_is_gone) {
  Conversation c{{.tcp = full()}};
  half_open(c, few);
  c.expect_between(1s, 1s, "S. 0:0 ack 1 <mss 1460,sackOK,TS 960 1,nop,wscale 9>");
  push_out(c);
  c.peer(". 1:1 ack 1 win 200 <nop,nop,TS 1001 960>");
  c.state(State::established);
  c.user_accept();
  const auto status = c.status();
  EXPECT_TRUE(status.timestamps && status.sack);
  EXPECT_EQ(status.send_scale, 7);
  c.user_send(10);
  c.expect("P. 1:11 ack 1 <nop,nop,TS 960 1001>");
}

TEST(HalfOpen, The_timestamp_of_its_ACK_is_known_as_a_cookie_once_the_record_is_gone) {
  Conversation c{{.tcp = full()}};
  half_open(c, few);
  c.wait(777ms);
  c.peer(". 0:0 ack 1 <nop,nop,TS 700 0>");
  c.expect(". 1:1 ack 1 <nop,nop,TS 768 1>");
  c.expect_between(223ms, 223ms, "S. 0:0 ack 1");
  push_out(c);
  c.peer(". 1:1 ack 1 win 200 <nop,nop,TS 1001 768>");
  c.user_accept();
  EXPECT_EQ(c.status().send_scale, 7);
}

TEST(HalfOpen, A_hard_ICMP_error_that_quotes_the_SYN_ACK_drops_the_record) {
  for (const bool v6 : {false, true}) {
    Conversation c{{.v6 = v6}};
    c.user_listen();
    c.peer("S 0:0");
    c.expect("S. 0:0 ack 1");
    for (const std::uint32_t wrong : {1u, 2u, 0xffffffffu, 0x80000000u}) {
      c.icmp(wire::IcmpMeaning::hard, wrong);  // RFC 5927 §4.1.
      c.icmp(wire::IcmpMeaning::soft, wrong);
    }
    c.icmp(wire::IcmpMeaning::packet_too_big, 0, v6 ? 1280 : 576);
    if (!v6) c.icmp(wire::IcmpMeaning::source_quench, 0);
    c.state(State::syn_received);
    EXPECT_EQ(c.count(Reason::icmp_not_in_flight), 8u);
    c.icmp(wire::IcmpMeaning::hard, 0);
    c.state(State::listen);
    c.wait(20s);  // The SYN-ACK is not sent again.
  }
}

TEST(HalfOpen, An_unreachable_host_ends_the_retransmissions_and_its_ACK_opens_all_the_same) {
  Conversation c{{.tcp = full()}};
  half_open(c);
  c.icmp(wire::IcmpMeaning::soft, 0);
  c.state(State::listen);
  EXPECT_EQ(c.count(Reason::host_unreachable), 1u);
  c.wait(10s);
  c.peer(". 1:1 ack 1 <nop,nop,TS 1001 0>");
  c.state(State::established);
}

TEST(HalfOpen, MUST_56_a_soft_ICMP_error_leaves_a_record_that_no_cookie_brings_back) {
  Scene never;
  never.tcp.syn_cookies = tcp::CookieUse::never;
  Conversation c{never};
  c.user_listen();
  c.peer("S 0:0");
  c.expect("S. 0:0 ack 1");
  c.icmp(wire::IcmpMeaning::soft, 0);
  c.state(State::syn_received);
  c.on(40001).peer(
      "S 0:0 <mss 200>");  // Here no cookie is used at all; elsewhere, for a small MSS.
  c.expect("S. 0:0 ack 1");
  c.icmp(wire::IcmpMeaning::soft, 0);
  c.state(State::syn_received);
  c.icmp(wire::IcmpMeaning::hard, 0);
  c.state(State::listen);
  c.on(Conversation::peer_port).peer(". 1:1 ack 1");
  c.state(State::established);
}

TEST(HalfOpen, The_last_ACK_without_the_timestamps_that_were_agreed_opens_as_on_Linux) {
  for (const auto use : {tcp::CookieUse::under_pressure, tcp::CookieUse::always}) {
    Scene scene{.tcp = full()};
    scene.tcp.syn_cookies = use;
    Conversation c{scene};
    half_open(c);
    c.peer(". 1:1 ack 1 win 200");
    c.state(State::established);
    c.user_accept();
    c.peer("P. 1:101 ack 1 win 200");
    c.expect_soon(". 1:1 ack 101");
    c.user_receive(100);
    c.user_send(100);
    c.expect("P. 1:101 ack 101");
  }
}

TEST(HalfOpen, The_last_ACK_without_timestamps_is_dropped_where_the_setting_demands_them) {
  Scene scene{.tcp = full()};
  scene.tcp.require_timestamps = true;
  Conversation c{scene};
  half_open(c);
  c.peer(". 1:1 ack 1 win 200");
  c.state(State::syn_received);
  EXPECT_EQ(c.count(Reason::timestamp_missing), 1u);
}

}  // namespace
}  // namespace estab::script
