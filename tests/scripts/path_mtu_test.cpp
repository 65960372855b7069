// SPDX-License-Identifier: Apache-2.0
// What a path carries: RFC 1191, RFC 8201, RFC 6864.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include "scenes.hpp"

namespace estab::script {
namespace {

using enum wire::IcmpMeaning;

void send_full(Conversation& c) {
  c.open_passive("win 65535 <mss 1460>");
  c.user_send(1440);
  c.expect("P. 1:1441 ack 1");
}

TEST(PathMtu, A_second_connection_learns_from_its_own_too_big_though_the_path_is_known) {
  for (const bool v6 : {false, true}) {
    Conversation c{{.v6 = v6}};
    const std::uint32_t text = 1300 - (v6 ? 60 : 40);
    for (const std::uint16_t port : {40000, 40001}) c.on(port), send_full(c);
    for (const std::uint16_t port : {40000, 40001}) {
      c.on(port).icmp(packet_too_big, 1, 1300);
      c.expect(fmt::format(". 1:{} ack 1", 1 + text), Reason::retransmit_mtu);
      c.expect(fmt::format("P. {}:1441 ack 1", 1 + text), Reason::retransmit_mtu);
    }
  }
}

TEST(PathMtu, A_third_connection_knows_it_before_its_first_segment) {
  Conversation c;
  send_full(c);
  c.icmp(packet_too_big, 1, 1000);
  c.take_sent();
  c.on(40001).open_passive("win 65535 <mss 1460>");
  c.user_send(1440);
  c.expect(". 1:961 ack 1");
  c.expect("P. 961:1441 ack 1");
}

TEST(PathMtu, RFC_1191_6_3_after_ten_minutes_segments_are_as_large_as_before) {
  for (const bool idle : {false, true}) {
    Conversation c;
    send_full(c);
    c.icmp(packet_too_big, 1, 1000);
    c.take_sent();
    c.peer(". 1:1 ack 1441");
    EXPECT_EQ(c.status().send_mss, 960u);
    for (int minute = 0; minute < 11; ++minute) {
      c.wait(1min);
      if (idle || minute == 10) continue;
      c.peer("P. 1:2 ack 1441");
      c.run(1s);
      c.take_sent();
    }
    c.user_send(1440);
    c.expect("P. 1441:2881");
    EXPECT_EQ(c.status().send_mss, 1460u);
    EXPECT_GE(c.status().cwnd, 1460u);
  }
}

TEST(PathMtu, Below_552_octets_IPv4_datagrams_of_552_leave_for_routers_to_fragment) {
  for (const std::uint32_t mtu : {68u, 400u, 551u}) {
    Conversation c;
    send_full(c);
    EXPECT_FALSE(c.last_ip().fragment);
    c.icmp(packet_too_big, 1, mtu);
    for (std::uint32_t seq = 1; seq < 1441; seq += 512)
      c.expect(
          fmt::format("{} {}:{} ack 1", seq < 1025 ? "." : "P.", seq, std::min(1441u, seq + 512)));
    EXPECT_TRUE(c.last_ip().fragment);
    const auto first = c.last_ip().identification;
    c.peer(". 1:1 ack 1441");
    c.user_send(100);
    c.expect("P. 1441:1541 ack 1");
    EXPECT_EQ(c.last_ip().identification, std::uint16_t(first + 1));  // RFC 6864 §4.3.
    c.on(Flow{{c.line().flow.local}, {Address::v4(192, 0, 2, 3), Port{40000}}})
        .open_passive("win 65535 <mss 1460>");
    EXPECT_FALSE(c.last_ip().fragment);  // Another host's path is its own.
    EXPECT_EQ(c.last_ip().identification, 0u);
  }
}

TEST(PathMtu, A_router_that_refuses_552_octets_without_a_size_is_to_fragment_them) {
  Conversation c;
  send_full(c);
  for (int i = 0; i < 8; ++i) c.icmp(packet_too_big, 1, 0), c.take_sent();
  c.user_send(100);
  c.take_sent();
  EXPECT_TRUE(c.last_ip().fragment);
  EXPECT_EQ(c.status().send_mss, 512u);
}

TEST(PathMtu, RFC_8201_4_an_IPv6_MTU_below_1280_is_discarded) {
  for (const std::uint32_t mtu : {0u, 68u, 1279u}) {
    Conversation c{{.v6 = true}};
    send_full(c);
    c.icmp(packet_too_big, 1, mtu);
    EXPECT_EQ(c.status().send_mss, 1440u);
    EXPECT_EQ(c.count(Reason::icmp_ignored), 1u);
    EXPECT_FALSE(c.last_ip().fragment);
  }
}

TEST(PathMtu, What_was_learnt_of_the_way_there_is_not_announced_to_others) {
  Conversation c;
  send_full(c);
  c.icmp(packet_too_big, 1, 1000);
  c.take_sent();
  c.on(40001).peer("S 0:0 win 65535 <mss 1460>");
  c.expect("S. 0:0 ack 1 <mss 1460>");
  c.on(40002).user_connect();
  c.expect("S 0:0 <mss 1460>");
}

TEST(PathMtu, The_same_too_big_again_and_again_sends_nothing_again) {
  Conversation c;
  send_full(c);
  c.icmp(packet_too_big, 1, 1000);
  EXPECT_EQ(c.take_sent().size(), 2u);
  for (int i = 0; i < 100; ++i) c.icmp(packet_too_big, 1, 1000);
  c.expect_nothing();
  EXPECT_EQ(c.count(Reason::icmp_ignored), 100u);
}

TEST(PathMtu, A_whole_flight_that_is_too_big_is_sent_again_once) {
  Conversation c;
  c.open_passive("win 65535 <mss 1460>");
  c.user_send(14600);
  ASSERT_EQ(c.take_sent().size(), 10u);
  std::uint32_t octets = 0;
  for (int i = 0; i < 10; ++i) {
    c.icmp(packet_too_big, 1 + 1460 * i, 1000);
    for (const auto& sent : c.take_sent()) octets += sent.length;
  }
  EXPECT_EQ(octets, 14400u);  // As far as the window reaches in whole segments.
  c.peer(". 1:1 ack 961");
  c.expect("P. 14401:14601 ack 1");
}

}  // namespace
}  // namespace estab::script
