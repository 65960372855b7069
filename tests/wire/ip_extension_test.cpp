// SPDX-License-Identifier: Apache-2.0
// The chain of IPv6 extension headers (RFC 8200 §4).
#include "wire_samples.hpp"

namespace estab::wire {
namespace {

constexpr int hop_by_hop = 0, routing = 43, fragment = 44, destination_options = 60;
constexpr std::size_t text_size = 20;

struct Extension {
  int kind;
  int length = 0;                // As on the wire: units of 8 octets beyond the first.
  std::uint16_t octets_2_3 = 0;  // Routing: type and segments left; fragment: offset and flags.
};

Octets chain(std::initializer_list<Extension> extensions) {
  Octets payload;
  for (const auto* e = extensions.begin(); e != extensions.end(); ++e) {
    const int next = e + 1 == extensions.end() ? int(Protocol::tcp) : e[1].kind;
    append(payload, {next, e->length, e->octets_2_3 >> 8, e->octets_2_3 & 0xff, 0, 0, 0, 0});
    payload.resize(payload.size() + std::size_t(e->kind == fragment ? 0 : e->length) * 8);
  }
  payload.resize(payload.size() + text_size);
  return datagram(false, Protocol(extensions.begin()->kind), payload);
}

void expect_taken(const Octets& d) {
  const auto h = parsed(d);
  ASSERT_TRUE(h) << text(h.error()).name;
  EXPECT_EQ(h->protocol, Protocol::tcp);
  EXPECT_EQ(h->payload_length(), text_size);
}

TEST(Ipv6Extensions, OptionsForHopsAndForUsArePassedOver) {
  expect_taken(chain({{hop_by_hop}}));
  expect_taken(chain({{destination_options, 3}}));
  expect_taken(
      chain({{hop_by_hop, 1}, {destination_options}, {routing}, {destination_options, 2}}));
}

TEST(Ipv6Extensions, HopByHopStandsFirstOrNotAtAll) {
  expect_refused(chain({{destination_options}, {hop_by_hop}}), Reason::ip_extension_header);
  expect_refused(chain({{hop_by_hop}, {hop_by_hop}}), Reason::ip_extension_header);
}

TEST(Ipv6Extensions, ARouteWithSegmentsLeftIsASourceRoute) {
  expect_taken(chain({{routing, 2, 0x0200}}));
  expect_refused(chain({{routing, 2, 0x0001}}), Reason::ip_source_route);
  expect_refused(chain({{routing, 2, 0x02ff}}), Reason::ip_source_route);
}

TEST(Ipv6Extensions, AFragmentIsRefusedUnlessItIsTheWholeDatagram) {
  expect_taken(chain({{fragment}}));             // Atomic: RFC 6946.
  expect_taken(chain({{fragment, 0, 0x0006}}));  // The two reserved bits do not matter.
  expect_taken(chain({{fragment, 255}}));        // Nor does the reserved octet: it is no length.
  expect_refused(chain({{fragment, 0, 0x0001}}), Reason::ip_fragment);
  expect_refused(chain({{fragment, 0, 0x0008}}), Reason::ip_fragment);
  expect_refused(chain({{fragment, 0, 0xfff9}}), Reason::ip_fragment);
}

TEST(Ipv6Extensions, EightHeadersAreReadAndTheNinthIsOneTooMany) {
  const Extension d{destination_options};
  expect_taken(chain({d, d, d, d, d, d, d, d}));
  expect_refused(chain({d, d, d, d, d, d, d, d, d}), Reason::ip_extension_header);
}

TEST(Ipv6Extensions, AHeaderPastTheEndIsRefused) {
  for (const int kind : {hop_by_hop, routing, fragment, destination_options}) {
    expect_refused(datagram(false, Protocol(kind), {}), Reason::ip_extension_header);
    expect_refused(datagram(false, Protocol(kind), Octets(7)), Reason::ip_extension_header);
  }
  auto d = chain({{destination_options}});
  octet(d, 41) = 255;  // 2,048 octets.
  expect_refused(d, Reason::ip_extension_header);
  // The linear part holds all headers, or the datagram is refused: none is read past it.
  const auto whole = chain({{destination_options, 3}});
  EXPECT_FALSE(parse_ip(Bytes{whole}.first(60), whole.size()));
}

TEST(Ipv6Extensions, WhatIsNoExtensionEndsTheChain) {
  for (const int protocol : {17, 50, 51, 58, 59, 255}) {
    const auto h = parsed(datagram(false, Protocol(protocol), Octets(16)));
    ASSERT_TRUE(h);
    EXPECT_EQ(int(h->protocol), protocol);
    EXPECT_EQ(h->header_length, 40);
  }
}

}  // namespace
}  // namespace estab::wire
