// SPDX-License-Identifier: Apache-2.0
// Addresses that are no other host's: RFC 1122 §3.2.1.3, RFC 4291 §2.5; MUST-46, MUST-57, MUST-63.
#include <gtest/gtest.h>

#include "scenes.hpp"

namespace estab::script {
namespace {

Address address(const char* text) { return *Address::parse(text); }
bool is_v6(const char* text) { return std::string_view(text).find(':') != std::string_view::npos; }

constexpr const char* no_hosts[] = {
    "0.0.0.0",
    "0.0.0.1",
    "0.1.2.3",
    "0.255.255.255",
    "127.0.0.1",
    "127.255.255.255",
    "240.0.0.1",
    "250.1.2.3",
    "255.255.255.254",
    "224.0.0.1",
    "239.255.255.255",
    "255.255.255.255",
    "::",
    "::1",
    "::2",
    "::c000:202",
    "ff02::1",
    "ff0e::1",
};
constexpr const char* hosts[] = {"1.0.0.1",     "126.255.255.255", "128.0.0.1", "223.255.255.255",
                                 "169.254.1.1", "10.0.0.1",        "fe80::1",   "fd00::1",
                                 "2001:db8::9", "::1:0:0:1",       "64:ff9b::1"};

// What a call was refused with.
template <class T>
Error refusal(const std::expected<T, Error>& result) {
  return result ? Error::none : result.error();
}

void route_all(Conversation& c) {
  for (const char* all : {"0.0.0.0/0", "::/0"}) c.stack().add_route({*Prefix::parse(all), 0});
}

Flow from(const char* source, std::uint16_t port = 40000) {
  return {{address(is_v6(source) ? "2001:db8::1" : "192.0.2.1"), Port{80}},
          {address(source), Port{port}}};
}

TEST(NoHost, MUST_63_a_SYN_from_it_is_dropped_in_silence) {
  Conversation c;
  route_all(c);
  c.user_listen();
  for (const char* source : no_hosts) {
    c.on(from(source)).peer("S 0:0");
    c.expect_nothing();
  }
  EXPECT_EQ(c.count(Reason::ip_source_invalid), std::size(no_hosts));
  EXPECT_TRUE(c.stack().snapshot(c.now()).half_open.empty());
  for (const char* source : hosts) {
    c.on(from(source)).peer("S 0:0");
    c.expect("S. 0:0 ack 1");
  }
}

TEST(NoHost, A_SYN_from_our_own_address_is_dropped_in_silence_whatever_its_port) {
  Conversation c;
  c.user_listen();
  for (const char* source : {"192.0.2.1", "2001:db8::1"})
    for (const std::uint16_t port : {80, 81, 40000}) c.on(from(source, port)).peer("S 0:0");
  // The other family's address of ours is no better.
  c.expect_nothing();
  EXPECT_EQ(c.count(Reason::ip_land), 6u);
  EXPECT_TRUE(c.stack().snapshot(c.now()).half_open.empty());
}

TEST(NoHost, MUST_57_a_gateway_takes_no_SYN_to_it_either) {
  PacketPool pool;
  Stack stack{pool, {}, {}};
  stack.add_interface({.addresses = {*Prefix::parse("192.0.2.1/24")}, .any_address = true});
  ASSERT_TRUE(stack.listen({{}, Port{80}}, {}, Instant{1s}));
  Conversation builder;
  for (const char* destination : no_hosts) {
    const bool v6 = is_v6(destination);
    builder.on(Flow{{address(destination), Port{80}},
                    {address(v6 ? "2001:db8::2" : "192.0.2.2"), Port{40000}}});
    const auto datagram = builder.build("S 0:0");
    Packet packet = pool.allocate(datagram.size());
    std::ranges::copy(datagram, packet.linear().begin());
    stack.receive({&packet, 1}, Instant{1s});
  }
  EXPECT_EQ(stack.log().counters()[Reason::ip_destination_invalid], std::size(no_hosts));
  EXPECT_TRUE(stack.snapshot(Instant{1s}).half_open.empty());
}

TEST(NoHost, MUST_46_an_OPEN_to_it_is_refused_and_no_SYN_leaves) {
  Conversation c;
  route_all(c);
  c.user_listen();
  const auto open = [&](const char* remote) {
    return c.stack().connect({.remote = {address(remote), Port{80}}, .local = {}, .options = {}},
                             c.now());
  };
  for (const char* remote : no_hosts)
    EXPECT_EQ(refusal(open(remote)), Error::invalid_argument) << remote;
  for (const char* remote : {"127.0.0.1", "240.0.0.1"})  // From LISTEN likewise.
    EXPECT_EQ(refusal(c.stack().connect(c.listener(), {address(remote), Port{80}}, c.now())),
              Error::invalid_argument);
  c.run(0s);
  c.expect_nothing();
  for (const char* remote : hosts) EXPECT_TRUE(open(remote)) << remote;
  c.run(0s);
  EXPECT_EQ(c.take_sent().size(), std::size(hosts));
}

TEST(NoHost, A_ping_from_it_is_dropped_in_silence) {
  Conversation c;
  for (const char* source : {"127.0.0.1", "0.0.0.9", "240.0.0.1", "192.0.2.1"}) {
    std::vector<std::byte> ping(28);
    wire::emit_ip({.source = address(source),
                   .destination = address("192.0.2.1"),
                   .protocol = wire::Protocol::icmp,
                   .header_length = 20,
                   .total_length = 28},
                  ping);
    ping[20] = std::byte{8};
    store_be(&ping[22], Checksum{}.add(Bytes{ping}.subspan(20)).value());
    c.peer_raw(ping);
  }
  EXPECT_EQ(c.count(Reason::send_echo_reply), 0u);
}

}  // namespace
}  // namespace estab::script
