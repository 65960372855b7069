// SPDX-License-Identifier: Apache-2.0
// IPv6 options in hop-by-hop and destination options headers (RFC 8200 §4.2).
#include "wire_samples.hpp"

namespace estab::wire {
namespace {

constexpr int hop_by_hop = 0, destination_options = 60;

// A header of that kind with these options, padded with Pad1 to eight octets.
Octets with_options(int kind, Octets options, int before = -1) {
  while ((options.size() + 2) % 8 != 0) options.push_back(std::byte{0});
  Octets payload;
  if (before >= 0) append(payload, {kind, 0, 1, 4, 0, 0, 0, 0});  // A PadN.
  append(payload, {int(Protocol::tcp), int(options.size() + 2) / 8 - 1});
  payload.insert(payload.end(), options.begin(), options.end());
  payload.resize(payload.size() + 20);
  return datagram(false, Protocol(before >= 0 ? before : kind), payload);
}

Octets option(int kind, int length) {
  Octets o{std::byte(kind), std::byte(length)};
  o.resize(o.size() + std::size_t(length), std::byte{0xaa});
  return o;
}

void expect_taken(const Octets& d) {
  const auto h = parsed(d);
  ASSERT_TRUE(h) << text(h.error()).name;
  EXPECT_EQ(h->protocol, Protocol::tcp);
  EXPECT_EQ(h->payload_length(), 20u);
}

TEST(Ipv6Options, One_that_is_not_known_is_passed_over_or_discarded_as_its_first_two_bits_say) {
  for (const int header : {hop_by_hop, destination_options})
    for (int kind = 2; kind < 256; ++kind)  // 0 and 1 are padding.
      for (const int length : {0, 1, 4, 12, 100}) {
        const auto d = with_options(header, option(kind, length));
        if (kind >> 6 == 0) expect_taken(d);
        else expect_refused(d, Reason::ip_option);
      }
}

TEST(Ipv6Options, Each_option_of_each_header_is_looked_at) {
  Octets options = option(5, 2);  // Router alert.
  append(options, {0, 1, 0, 1, 3, 0, 0, 0, 0});
  expect_taken(with_options(hop_by_hop, options));
  expect_taken(with_options(destination_options, options, hop_by_hop));
  append(options, {0x80, 0});
  expect_refused(with_options(hop_by_hop, options), Reason::ip_option);
  expect_refused(with_options(destination_options, options, hop_by_hop), Reason::ip_option);
}

TEST(Ipv6Options, An_option_that_reaches_past_its_header_is_malformed) {
  for (const int kind : {1, 5, 0x41, 0xc2}) {
    Octets options(6);
    options[3] = std::byte(kind), options[4] = std::byte{2};  // One octet is left for it.
    expect_refused(with_options(destination_options, options), Reason::ip_extension_header);
    options = Octets(6);
    options[5] = std::byte(kind);  // And none for its length.
    expect_refused(with_options(hop_by_hop, options), Reason::ip_extension_header);
  }
}

TEST(Ipv6Options, Padding_of_any_length_is_passed_over) {
  for (int length = 0; length < 256; ++length)
    expect_taken(with_options(destination_options, option(1, length)));
  expect_taken(with_options(hop_by_hop, Octets(2046)));
}

}  // namespace
}  // namespace estab::wire
