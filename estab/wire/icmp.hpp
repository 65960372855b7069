// SPDX-License-Identifier: Apache-2.0
// ICMP (RFC 792) and ICMPv6 (RFC 4443), as far as a TCP host needs them.
#pragma once
#include <expected>

#include "estab/wire/ip.hpp"
#include "estab/wire/tcp.hpp"

namespace estab::wire {

// What an ICMP error means to TCP (RFC 9293 §3.9.2.2, RFC 5461).
enum class IcmpMeaning : std::uint8_t {
  soft,            // Net or host unreachable, time exceeded: it may pass.
  hard,            // Protocol or port unreachable, administratively forbidden.
  packet_too_big,  // Next-hop MTU in `mtu`.
  source_quench,   // To be ignored (MUST-55).
};

// An error about a TCP segment of ours: what it means, and what of the segment it quotes.
struct IcmpError {
  IcmpMeaning meaning{};
  std::uint8_t type = 0, code = 0;
  std::uint32_t mtu = 0;  // 0: the router does not say (before RFC 1191).
  Flow flow;              // Local is the quoted source: us.
  Seq seq;                // The quoted sequence number.
};

struct IcmpEcho {
  std::uint16_t identifier = 0, sequence = 0;
};

enum class IcmpKind : std::uint8_t { echo_request, error, other };

struct IcmpMessage {
  IcmpKind kind = IcmpKind::other;
  IcmpEcho echo;
  IcmpError error;
};

inline constexpr std::size_t icmp_header_size = 8;

// Reads the message behind `ip`; checks its checksum. Octets of an echo follow icmp_header_size.
[[nodiscard]] std::expected<IcmpMessage, Reason> parse_icmp(const IpHeader& ip, Bytes message);

// Turns an echo request's message, in place, into its reply; the IP header is the caller's.
void make_echo_reply(const IpHeader& reply_ip, MutableBytes message);

}  // namespace estab::wire
