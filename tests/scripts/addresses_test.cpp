// SPDX-License-Identifier: Apache-2.0
// Who may talk to whom: RFC 9293 §3.9.1.1, §3.9.2.3; RFC 1122 §3.2.1.3.
#include <gtest/gtest.h>

#include "scenes.hpp"

namespace estab::script {
namespace {

Endpoint at(const char* address, std::uint16_t port) {
  return {*Address::parse(address), Port{port}};
}

TEST(Addresses, Threats_30_a_SYN_from_itself_is_dropped_in_silence) {
  for (const bool v6 : {false, true}) {
    Conversation c{{.v6 = v6}};
    c.user_listen();
    c.on(Flow{c.line().flow.local, c.line().flow.local}).peer("S 0:0");
    c.expect_nothing();
    EXPECT_EQ(c.count(Reason::ip_land), 1u);
    EXPECT_TRUE(c.stack().snapshot(c.now()).half_open.empty());
  }
}

TEST(Addresses, MUST_63_threats_31_a_SYN_from_an_address_that_is_no_hosts_is_dropped_in_silence) {
  Conversation c;
  c.user_listen();
  const auto local = c.line().flow.local;
  for (const auto* source : {"255.255.255.255", "192.0.2.255", "224.0.0.1", "0.0.0.0", "127.0.0.1"})
    c.on(Flow{local, at(source, 40000)}).peer("S 0:0");
  const auto local6 = at("2001:db8::1", 80);
  for (const auto* source : {"ff02::1", "::", "::1"})
    c.on(Flow{local6, at(source, 40000)}).peer("S 0:0");
  c.expect_nothing();
  EXPECT_EQ(c.count(Reason::ip_source_invalid), 8u);
}

TEST(Addresses, MUST_57_a_SYN_to_a_broadcast_or_multicast_address_is_dropped_in_silence) {
  Conversation c;
  c.user_listen();
  for (const auto* destination : {"255.255.255.255", "192.0.2.255", "224.0.0.1", "ff02::1"}) {
    const bool v6 = destination[0] == 'f';
    c.on(Flow{at(destination, 80), at(v6 ? "2001:db8::2" : "192.0.2.2", 40000)}).peer("S 0:0");
  }
  c.expect_nothing();
  EXPECT_EQ(c.count(Reason::ip_destination_invalid), 4u);
}

TEST(Addresses, A_segment_for_another_host_is_dropped_in_silence) {
  Conversation c;
  c.user_listen();
  c.on(Flow{at("192.0.2.77", 80), at("192.0.2.2", 40000)}).peer("S 0:0");
  c.expect_nothing();
  EXPECT_EQ(c.count(Reason::ip_not_for_us), 1u);
}

TEST(Addresses, MUST_46_an_OPEN_to_an_address_that_is_no_hosts_is_refused) {
  Conversation c;
  for (const auto* remote :
       {"255.255.255.255", "192.0.2.255", "224.0.0.1", "0.0.0.0", "::", "ff02::1"})
    EXPECT_EQ(
        c.stack().connect({.remote = at(remote, 80), .local = {}, .options = {}}, c.now()).error(),
        Error::invalid_argument)
        << remote;
  EXPECT_EQ(c.stack()
                .connect({.remote = at("192.0.2.2", 0), .local = {}, .options = {}}, c.now())
                .error(),
            Error::invalid_argument);
}

TEST(Addresses, An_OPEN_to_its_own_socket_is_refused) {
  Conversation c;
  const auto self = at("192.0.2.1", 5000);
  EXPECT_EQ(c.stack().connect({.remote = self, .local = self, .options = {}}, c.now()).error(),
            Error::invalid_argument);
}

TEST(Addresses, An_OPEN_where_no_route_leads_is_refused) {
  Conversation c;
  EXPECT_EQ(c.stack()
                .connect({.remote = at("203.0.113.9", 80), .local = {}, .options = {}}, c.now())
                .error(),
            Error::no_route);
  c.stack().add_route({.destination = *Prefix::parse("203.0.113.0/24"), .interface = 0});
  EXPECT_TRUE(c.stack()
                  .connect({.remote = at("203.0.113.9", 80), .local = {}, .options = {}}, c.now())
                  .has_value());
  c.run(0s);
  EXPECT_EQ(c.take_sent().size(), 1u);
}

TEST(Addresses, MUST_43_MUST_44_the_local_address_is_the_programs_or_else_the_interfaces) {
  Conversation c;
  EXPECT_EQ(
      c.stack()
          .connect({.remote = at("192.0.2.2", 80), .local = at("192.0.2.9", 0), .options = {}},
                   c.now())
          .error(),
      Error::address_not_available);
  const auto chosen =
      c.stack().connect({.remote = at("192.0.2.2", 80), .local = {}, .options = {}}, c.now());
  ASSERT_TRUE(chosen);
  const auto flow = c.stack().status(*chosen, c.now())->flow;
  EXPECT_EQ(flow.local.address, *Address::parse("192.0.2.1"));
  EXPECT_GE(number(flow.local.port), 32768);
  EXPECT_LE(number(flow.local.port), 60999);
  c.run(0s);
  EXPECT_EQ(c.take_sent().size(), 1u);
}

TEST(Addresses, MUST_45_the_address_of_the_SYN_is_that_of_every_segment_after_it) {
  Conversation c;
  c.open_active();
  c.user_send(100);
  c.expect("P. 1:101 ack 1");
  EXPECT_EQ(c.last_ip().source, c.line().flow.local.address);
}

TEST(Addresses, MUST_41_MUST_42_a_port_may_listen_while_its_connections_go_on) {
  Conversation c;
  c.user_connect();  // From port 80: SYN-SENT.
  c.expect("S 0:0");
  c.user_listen();  // On port 80 as well.
  c.peer("S. 0:0 ack 1");
  c.expect(". 1:1 ack 1");
  c.state(State::established);
  c.on(40001).open_passive();
  EXPECT_EQ(c.stack().listen({{}, Port{80}}, {}, c.now()).error(), Error::in_use);
}

TEST(Addresses, An_OPEN_with_a_pair_of_sockets_in_use_is_refused) {
  Conversation c;
  c.open_active();
  EXPECT_EQ(
      c.stack()
          .connect({.remote = c.line().flow.remote, .local = c.line().flow.local, .options = {}},
                   c.now())
          .error(),
      Error::in_use);
}

TEST(Addresses, A_listener_on_one_address_does_not_hear_for_another) {
  Conversation c;
  ASSERT_TRUE(c.stack().listen(at("2001:db8::1", 80), {}, c.now()));
  c.peer("S 0:0");
  c.expect("R. 0:0 ack 1");
}

TEST(Addresses, One_listener_serves_both_families) {
  Conversation c;
  c.open_passive();
  c.on(Flow{at("2001:db8::1", 80), at("2001:db8::2", 40000)}).open_passive();
  c.user_send(100);
  c.expect("P. 1:101 ack 1");
}

TEST(Addresses, MUST_49_the_hop_limit_and_MUST_48_SHLD_21_SHLD_22_the_DSCP_are_the_programs) {
  for (const bool v6 : {false, true}) {
    Conversation c{{.v6 = v6}};
    c.open_passive();
    EXPECT_EQ(c.last_ip().hop_limit, 64);
    EXPECT_EQ(c.last_ip().dscp, 0);
    auto options = c.options();
    options.hop_limit = 7;
    options.dscp = 46;
    c.user_options(options);
    c.user_send(100);
    c.expect("P. 1:101 ack 1");
    EXPECT_EQ(c.last_ip().hop_limit, 7);
    EXPECT_EQ(c.last_ip().dscp, 46);
  }
}

TEST(Addresses, Threats_40_ten_thousand_SYNs_to_closed_ports_draw_at_most_a_thousand_resets) {
  Conversation c;
  std::size_t resets = 0;
  for (int i = 0; i < 10000; ++i) {
    c.on(std::uint16_t(10000 + i)).peer("S 0:0");
    resets += c.take_sent().size();
    if (i % 100 == 0) c.run(1400us);
  }
  EXPECT_GE(resets, 100u);
  EXPECT_LE(resets, 1200u);  // A burst of a second's, and what 0.14 s add.
}

TEST(Addresses, An_echo_request_is_answered_and_one_to_a_broadcast_is_not) {
  Conversation c;
  std::vector<std::byte> ping(28 + 4);
  const wire::IpHeader ip{.source = *Address::parse("192.0.2.2"),
                          .destination = *Address::parse("192.0.2.1"),
                          .protocol = wire::Protocol::icmp,
                          .header_length = 20,
                          .total_length = 32};
  wire::emit_ip(ip, ping);
  ping[20] = std::byte{8};
  store_be(&ping[22], Checksum{}.add(Bytes{ping}.subspan(20)).value());
  c.peer_raw(ping);
  EXPECT_EQ(c.count(Reason::send_echo_reply), 1u);
  EXPECT_EQ(c.last_ip().destination, ip.source);
  c.take_sent();
  auto everybody = ip;
  everybody.destination = *Address::parse("192.0.2.255");
  wire::emit_ip(everybody, ping);
  c.peer_raw(ping);
  EXPECT_EQ(c.count(Reason::send_echo_reply), 1u);
}

}  // namespace
}  // namespace estab::script
