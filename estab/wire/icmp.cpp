// SPDX-License-Identifier: Apache-2.0
#include "estab/wire/icmp.hpp"

namespace estab::wire {
namespace {

Checksum message_sum(const IpHeader& ip, Bytes message) {
  Checksum sum;
  if (!ip.is_v4())
    sum = pseudo_header(ip.source, ip.destination, Protocol::icmpv6, std::uint32_t(message.size()));
  return sum.add(message);
}

struct Quote {
  Flow flow;
  Seq seq;
};

// The start of the datagram that an error is about: its IP header and 8 octets of TCP.
std::expected<Quote, Reason> parse_quote(Bytes quoted) {
  if (quoted.empty()) return std::unexpected(Reason::icmp_malformed);
  const bool v4 = std::uint8_t(quoted[0]) >> 4 == 4;
  const std::size_t fixed = v4 ? ipv4_header_size : ipv6_header_size;
  if (quoted.size() < fixed) return std::unexpected(Reason::icmp_malformed);
  const std::size_t header = v4 ? (std::uint8_t(quoted[0]) & 0xf) * 4u : fixed;
  if (header < fixed || quoted.size() < header + 8) return std::unexpected(Reason::icmp_malformed);
  // The quoted header is our own: no options, no extension headers.
  if (Protocol(quoted[v4 ? 9 : 6]) != Protocol::tcp) return std::unexpected(Reason::icmp_ignored);
  const auto source = v4 ? Address::v4(&quoted[12]) : Address::v6(&quoted[8]);
  const auto destination = v4 ? Address::v4(&quoted[16]) : Address::v6(&quoted[24]);
  const std::byte* tcp = &quoted[header];
  return Quote{{{source, Port{load_be<std::uint16_t>(tcp)}},
                {destination, Port{load_be<std::uint16_t>(tcp + 2)}}},
               Seq(load_be<std::uint32_t>(tcp + 4))};
}

// RFC 1122 §4.2.3.9 and RFC 9293 §3.9.2.2; nothing where the type says nothing to TCP.
std::optional<IcmpMeaning> meaning_v4(std::uint8_t type, std::uint8_t code) {
  switch (type) {
    case 3:
      if (code == 4) return IcmpMeaning::packet_too_big;
      if (code == 2 || code == 3 || code == 9 || code == 10 || code == 13) return IcmpMeaning::hard;
      return IcmpMeaning::soft;
    case 4:  return IcmpMeaning::source_quench;
    case 11:
    case 12: return IcmpMeaning::soft;
    default: return std::nullopt;
  }
}

std::optional<IcmpMeaning> meaning_v6(std::uint8_t type, std::uint8_t code) {
  switch (type) {
    case 1:  return code == 1 || code == 4 ? IcmpMeaning::hard : IcmpMeaning::soft;
    case 2:  return IcmpMeaning::packet_too_big;
    case 3:  return IcmpMeaning::soft;
    case 4:  return code == 1 ? IcmpMeaning::hard : IcmpMeaning::soft;
    default: return std::nullopt;
  }
}

}  // namespace

std::expected<IcmpMessage, Reason> parse_icmp(const IpHeader& ip, Bytes m) {
  if (m.size() < icmp_header_size || message_sum(ip, m).value() != 0)
    return std::unexpected(Reason::icmp_malformed);
  const auto type = std::uint8_t(m[0]), code = std::uint8_t(m[1]);
  IcmpMessage message;
  if (type == (ip.is_v4() ? 8 : 128) && code == 0) {
    message.kind = IcmpKind::echo_request;
    message.echo = {load_be<std::uint16_t>(&m[4]), load_be<std::uint16_t>(&m[6])};
    return message;
  }
  const auto meaning = ip.is_v4() ? meaning_v4(type, code) : meaning_v6(type, code);
  if (!meaning) return message;
  const auto quote = parse_quote(m.subspan(icmp_header_size));
  if (!quote) return std::unexpected(quote.error());
  message.kind = IcmpKind::error;
  message.error = {
      .meaning = *meaning, .type = type, .code = code, .flow = quote->flow, .seq = quote->seq};
  if (*meaning == IcmpMeaning::packet_too_big)
    message.error.mtu = ip.is_v4() ? load_be<std::uint16_t>(&m[6]) : load_be<std::uint32_t>(&m[4]);
  return message;
}

void make_echo_reply(const IpHeader& reply_ip, MutableBytes m) {
  m[0] = std::byte(reply_ip.is_v4() ? 0 : 129);
  store_be(&m[2], std::uint16_t{0});
  store_be(&m[2], message_sum(reply_ip, m).value());
}

}  // namespace estab::wire
