// SPDX-License-Identifier: Apache-2.0
// IPv4 (RFC 791) and IPv6 (RFC 8200) headers: bytes to a value that cannot be wrong, and back.
#pragma once
#include <expected>

#include "estab/base/address.hpp"
#include "estab/base/checksum.hpp"
#include "estab/event/reason.hpp"

namespace estab::wire {

enum class Protocol : std::uint8_t { icmp = 1, tcp = 6, udp = 17, icmpv6 = 58, none = 59 };

// Explicit congestion notification, the low two bits of the traffic class (RFC 3168 §5).
enum class Ecn : std::uint8_t { not_ect = 0, ect_1 = 1, ect_0 = 2, ce = 3 };

struct IpHeader {
  Address source, destination;  // Of one family.
  Protocol protocol{};
  std::uint8_t hop_limit = 64;
  std::uint8_t dscp = 0;  // 6 bits.
  Ecn ecn = Ecn::not_ect;
  std::uint16_t header_length = 0;   // With IPv4 options, or IPv6 extension headers.
  std::uint32_t total_length = 0;    // Header and payload.
  bool fragment = false;             // IPv4: routers may fragment it (DF is clear).
  std::uint16_t identification = 0;  // IPv4: says something on such a datagram (RFC 6864 §4).

  [[nodiscard]] bool is_v4() const { return source.is_v4(); }
  [[nodiscard]] std::uint32_t payload_length() const { return total_length - header_length; }
  friend bool operator==(const IpHeader&, const IpHeader&) = default;
};

inline constexpr std::size_t ipv4_header_size = 20, ipv6_header_size = 40;
[[nodiscard]] constexpr std::size_t ip_header_size(const Address& a) {
  return a.is_v4() ? ipv4_header_size : ipv6_header_size;
}

// Reads the header in front of `datagram`, whose whole size (slices included) is `size`; octets
// behind total_length are link padding. Verifies the IPv4 header checksum unless told that it was
// done. Unknown IPv4 options are skipped (MUST-50); source routes and fragments are refused.
[[nodiscard]] std::expected<IpHeader, Reason> parse_ip(Bytes datagram, std::size_t size);

// Writes the header (without options) to the first ip_header_size() octets of `out`: on IPv4 DF is
// set and the identification 0 (RFC 6864 §4.1), unless routers may fragment the datagram; on IPv6
// the flow label is 0. total_length is taken as given.
void emit_ip(const IpHeader& header, MutableBytes out);

// The sum of the pseudo-header (RFC 9293 §3.1; RFC 8200 §8.1) for `length` octets of payload.
[[nodiscard]] Checksum pseudo_header(const Address& source, const Address& destination,
                                     Protocol protocol, std::uint32_t length);

}  // namespace estab::wire
