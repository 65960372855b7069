// SPDX-License-Identifier: Apache-2.0
// ICMP errors about our segments: RFC 9293 §3.9.2.2, RFC 5927, RFC 1191.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include "scenes.hpp"

namespace estab::script {
namespace {

using enum wire::IcmpMeaning;

// A conversation with 1000 octets in flight, from 1 on.
void in_flight(Conversation& c) {
  c.open_passive("win 65535 <mss 1460>");
  c.user_send(1000);
  c.expect("P. 1:1001 ack 1");
  c.line().notices = 0;
}

TEST(Icmp, MUST_54_an_error_reaches_the_connection_that_it_quotes_and_no_other) {
  Conversation c;
  in_flight(c);
  c.on(40001);
  in_flight(c);
  c.icmp(soft, 1);
  c.notified(notice::soft_error);
  c.on(Conversation::peer_port).not_notified(notice::soft_error);
  c.on(40002).icmp(soft, 1);
  EXPECT_EQ(c.count(Reason::icmp_no_connection), 1u);
}

TEST(Icmp, MUST_55_a_source_quench_is_discarded_in_silence) {
  Conversation c;
  in_flight(c);
  const auto cwnd = c.status().cwnd;
  c.icmp(source_quench, 1);
  EXPECT_EQ(c.status().cwnd, cwnd);
  c.not_notified(notice::soft_error);
  EXPECT_EQ(c.count(Reason::icmp_source_quench), 1u);
}

TEST(Icmp, MUST_56_SHLD_25_MUST_47_a_soft_error_is_told_and_ends_nothing) {
  for (const bool v6 : {false, true}) {
    Conversation c{{.v6 = v6}};
    in_flight(c);
    c.icmp(soft, 1);
    c.notified(notice::soft_error);
    c.state(State::established);
    Conversation opening{{.v6 = v6}};
    bring_to(opening, State::syn_sent);
    opening.icmp(soft, 0);
    opening.state(State::syn_sent);
    opening.notified(notice::soft_error);
    opening.peer("S. 0:0 ack 1");
    opening.expect(". 1:1 ack 1");
  }
}

TEST(Icmp, SHLD_26_a_hard_error_ends_an_attempt_to_connect) {
  for (const bool v6 : {false, true}) {
    Conversation c{{.v6 = v6}};
    bring_to(c, State::syn_sent);
    c.icmp(hard, 0);
    c.state(State::closed);
    c.ended_with(Error::refused);  // A port that is unreachable.
  }
}

TEST(Icmp, Threats_42_RFC_5927_a_hard_error_does_not_end_a_synchronized_connection) {
  for (const bool v6 : {false, true}) {
    Conversation c{{.v6 = v6}};
    in_flight(c);
    c.icmp(hard, 1);
    c.state(State::established);
    c.peer(". 1:1 ack 1001");
    EXPECT_EQ(c.status().flight, 0u);
  }
}

TEST(Icmp, X_13_an_error_that_quotes_what_is_not_in_flight_is_ignored) {
  Conversation c;
  in_flight(c);
  for (const std::uint32_t seq : {0xffffffffu, 0u, 1001u, 5000u, 0x80000000u}) c.icmp(soft, seq);
  EXPECT_EQ(c.count(Reason::icmp_not_in_flight), 5u);
  c.not_notified(notice::soft_error);
  Conversation opening;
  bring_to(opening, State::syn_sent);
  opening.icmp(hard, 1);  // SND.NXT is not in flight.
  opening.icmp(hard, 77);
  opening.state(State::syn_sent);
}

TEST(Icmp, RFC_1191_a_packet_too_big_lowers_the_segment_size_and_the_segment_leaves_at_once) {
  for (const bool v6 : {false, true}) {
    Conversation c{{.v6 = v6}};
    c.open_passive("win 65535 <mss 1400>");
    c.user_send(1400);
    c.expect("P. 1:1401 ack 1");
    const std::uint32_t mtu = v6 ? 1300 : 1000, text = mtu - (v6 ? 60 : 40);
    c.icmp(packet_too_big, 1, mtu);
    c.expect(fmt::format(". 1:{} ack 1", 1 + text), Reason::retransmit_mtu);
    EXPECT_EQ(c.status().send_mss, text);
    c.run(0s);
    c.take_sent();
  }
}

TEST(Icmp, Threats_42_a_path_MTU_is_never_taken_below_552_or_1280) {
  for (const bool v6 : {false, true}) {
    Conversation c{{.v6 = v6}};
    c.open_passive("win 65535 <mss 1400>");
    c.user_send(1400);
    c.expect("P. 1:1401 ack 1");
    c.icmp(packet_too_big, 1, 68);
    c.run(0s);
    c.take_sent();
    EXPECT_GE(c.status().send_mss, v6 ? 1220u : 512u);
  }
}

TEST(Icmp, Threats_42_forged_packets_too_big_lower_nothing) {
  Conversation c;
  c.open_passive("win 65535 <mss 1400>");
  c.user_send(1400);
  c.expect("P. 1:1401 ack 1");
  for (std::uint32_t seq = 1401; seq < 4000000; seq += 4001) c.icmp(packet_too_big, seq, 600);
  EXPECT_EQ(c.status().send_mss, 1400u);
  EXPECT_EQ(c.count(Reason::icmp_not_in_flight), 1000u);
}

TEST(Icmp, A_message_with_a_wrong_checksum_or_cut_short_is_dropped) {
  Conversation c;
  in_flight(c);
  std::vector<std::byte> datagram(20 + 12);
  const wire::IpHeader ip{.source = c.line().flow.remote.address,
                          .destination = c.line().flow.local.address,
                          .protocol = wire::Protocol::icmp,
                          .header_length = 20,
                          .total_length = std::uint32_t(datagram.size())};
  wire::emit_ip(ip, datagram);
  datagram[20] = std::byte{3};
  c.peer_raw(datagram);
  store_be(&datagram[22], Checksum{}.add(Bytes{datagram}.subspan(20)).value());
  c.peer_raw(datagram);  // Its quotation is cut short.
  EXPECT_EQ(c.count(Reason::icmp_malformed), 2u);
  c.state(State::established);
}

}  // namespace
}  // namespace estab::script
