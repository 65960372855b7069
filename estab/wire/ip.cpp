// SPDX-License-Identifier: Apache-2.0
#include "estab/wire/ip.hpp"

#include <cassert>

namespace estab::wire {
namespace {

// RFC 791 §3.1: every option is walked over; a source route (131, 137) is refused.
Reason check_v4_options(Bytes options) {
  while (!options.empty()) {
    const auto kind = std::uint8_t(options[0]);
    if (kind == 0) break;
    if (kind == 1) {
      options = options.subspan(1);
      continue;
    }
    if (kind == 131 || kind == 137) return Reason::ip_source_route;
    if (options.size() < 2) return Reason::ip_header_length;
    const auto length = std::size_t(options[1]);
    if (length < 2 || length > options.size()) return Reason::ip_header_length;
    options = options.subspan(length);
  }
  return Reason::none;
}

Reason parse_v4(IpHeader& h, Bytes d, std::size_t size) {
  if (d.size() < ipv4_header_size) return Reason::ip_short;
  h.header_length = std::uint16_t((std::uint8_t(d[0]) & 0xf) * 4);
  h.total_length = load_be<std::uint16_t>(&d[2]);
  if (h.header_length < ipv4_header_size || h.header_length > h.total_length)
    return Reason::ip_header_length;
  if (h.total_length > size || h.header_length > d.size()) return Reason::ip_short;
  if (Checksum{}.add(d.first(h.header_length)).value() != 0) return Reason::ip_checksum;
  const auto fragmentation = load_be<std::uint16_t>(&d[6]);
  if (fragmentation & 0x3fff) return Reason::ip_fragment;  // More fragments, or an offset.
  h.fragment = (fragmentation & 0x4000) == 0;
  h.identification = load_be<std::uint16_t>(&d[4]);
  const auto options = d.subspan(ipv4_header_size, h.header_length - ipv4_header_size);
  if (const auto wrong = check_v4_options(options); wrong != Reason::none) return wrong;
  h.dscp = std::uint8_t(d[1]) >> 2;
  h.ecn = Ecn(std::uint8_t(d[1]) & 3);
  h.hop_limit = std::uint8_t(d[8]);
  h.protocol = Protocol(d[9]);
  h.source = Address::v4(&d[12]);
  h.destination = Address::v4(&d[16]);
  return Reason::none;
}

// RFC 8200 §4.2: of an option that is not known, the upper two bits say whether it is passed over
// or the packet discarded. None is known here, and no ICMP is sent.
Reason check_v6_options(Bytes options) {
  while (!options.empty()) {
    const auto kind = std::uint8_t(options[0]);
    if (kind == 0) {  // Pad1 is one octet.
      options = options.subspan(1);
      continue;
    }
    if (options.size() < 2) return Reason::ip_extension_header;
    const auto length = 2 + std::size_t(options[1]);
    if (length > options.size()) return Reason::ip_extension_header;
    if (kind >> 6 != 0) return Reason::ip_option;
    options = options.subspan(length);
  }
  return Reason::none;
}

// Walks at most eight extension headers; hop-by-hop, routing with no segments left
// and destination options are passed over, a fragment is refused unless atomic (RFC 6946).
Reason walk_extensions(IpHeader& h, Bytes d) {
  std::size_t at = ipv6_header_size;
  for (int headers = 0;; ++headers) {
    switch (std::uint8_t(h.protocol)) {
      case 0:
      case 43:
      case 44:
      case 60: break;
      default: h.header_length = std::uint16_t(at); return Reason::none;
    }
    const std::size_t end = std::min<std::size_t>(d.size(), h.total_length);
    if (headers == 8 || at + 8 > end) return Reason::ip_extension_header;
    const auto kind = std::uint8_t(h.protocol);
    std::size_t length = (std::size_t(d[at + 1]) + 1) * 8;
    if (kind == 43 && std::uint8_t(d[at + 3]) != 0) return Reason::ip_source_route;
    if (kind == 44) {
      if (load_be<std::uint16_t>(&d[at + 2]) & 0xfff9) return Reason::ip_fragment;
      length = 8;
    }
    if (kind == 0 && headers != 0) return Reason::ip_extension_header;
    if (at + length > end) return Reason::ip_extension_header;
    if (kind == 0 || kind == 60)
      if (const auto wrong = check_v6_options(d.subspan(at + 2, length - 2)); wrong != Reason::none)
        return wrong;
    h.protocol = Protocol(d[at]);
    at += length;
  }
}

Reason parse_v6(IpHeader& h, Bytes d, std::size_t size) {
  if (d.size() < ipv6_header_size) return Reason::ip_short;
  h.total_length = std::uint32_t(ipv6_header_size) + load_be<std::uint16_t>(&d[4]);
  if (h.total_length > size) return Reason::ip_short;
  const auto traffic_class = std::uint8_t(load_be<std::uint16_t>(&d[0]) >> 4);
  h.dscp = traffic_class >> 2;
  h.ecn = Ecn(traffic_class & 3);
  h.protocol = Protocol(d[6]);
  h.hop_limit = std::uint8_t(d[7]);
  h.source = Address::v6(&d[8]);
  h.destination = Address::v6(&d[24]);
  // An IPv4-mapped address has no business on the wire, and would pass for IPv4 here.
  if (h.source.is_v4()) return Reason::ip_source_invalid;
  if (h.destination.is_v4()) return Reason::ip_destination_invalid;
  return walk_extensions(h, d);
}

void emit_v4(const IpHeader& h, std::byte* out) {
  out[0] = std::byte{0x45};
  out[1] = std::byte(h.dscp << 2 | std::uint8_t(h.ecn));
  store_be(out + 2, std::uint16_t(h.total_length));
  store_be(out + 4, h.identification);
  store_be(out + 6, std::uint16_t(h.fragment ? 0 : 0x4000));
  out[8] = std::byte{h.hop_limit};
  out[9] = std::byte(h.protocol);
  store_be(out + 10, std::uint16_t{0});
  store_be(out + 12, h.source.to_v4());
  store_be(out + 16, h.destination.to_v4());
  store_be(out + 10, Checksum{}.add({out, ipv4_header_size}).value());
}

void emit_v6(const IpHeader& h, std::byte* out) {
  const std::uint32_t traffic_class = std::uint32_t(h.dscp << 2 | std::uint8_t(h.ecn));
  store_be(out, 0x60000000u | traffic_class << 20);
  store_be(out + 4, std::uint16_t(h.total_length - ipv6_header_size));
  out[6] = std::byte(h.protocol);
  out[7] = std::byte{h.hop_limit};
  std::memcpy(out + 8, h.source.octets().data(), 16);
  std::memcpy(out + 24, h.destination.octets().data(), 16);
}

Reason parse_into(IpHeader& header, Bytes datagram, std::size_t size) {
  if (datagram.empty()) return Reason::ip_short;
  switch (std::uint8_t(datagram[0]) >> 4) {
    case 4:  return parse_v4(header, datagram, size);
    case 6:  return parse_v6(header, datagram, size);
    default: return Reason::ip_version;
  }
}

}  // namespace

// Parsed in its place: a copy would wait for all the small stores before it.
std::expected<IpHeader, Reason> parse_ip(Bytes datagram, std::size_t size) {
  std::expected<IpHeader, Reason> header;
  if (const auto wrong = parse_into(*header, datagram, size); wrong != Reason::none)
    header = std::unexpected(wrong);
  return header;
}

void emit_ip(const IpHeader& header, MutableBytes out) {
  assert(out.size() >= ip_header_size(header.source));
  if (header.is_v4()) emit_v4(header, out.data());
  else emit_v6(header, out.data());
}

Checksum pseudo_header(const Address& source, const Address& destination, Protocol protocol,
                       std::uint32_t length) {
  // The ::ffff: of two mapped addresses sums to 0xffff twice over, which is nothing in ones'
  // complement: so both families are added alike.
  Checksum sum;
  for (const Address* address : {&source, &destination})
    for (const auto half : std::bit_cast<std::array<std::uint64_t, 2>>(address->octets()))
      sum.add_words(half);
  return sum.add32(length).add16(std::uint8_t(protocol));
}

}  // namespace estab::wire
