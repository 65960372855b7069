// SPDX-License-Identifier: Apache-2.0
#include "estab/link/cut.hpp"

#include <algorithm>
#include <optional>

#include "estab/base/checksum.hpp"

namespace estab::link {
namespace {

// Where the fields lie that differ from segment to segment (RFC 791, RFC 8200, RFC 9293 §3.1).
constexpr std::size_t ipv4_length = 2, ipv4_protocol = 9, ipv4_checksum = 10, ipv4_addresses = 12;
constexpr std::size_t ipv6_length = 4, ipv6_protocol = 6, ipv6_addresses = 8, ipv6_size = 40;
constexpr std::size_t tcp_seq = 4, tcp_offset = 12, tcp_flags = 13, tcp_checksum = 16;
constexpr std::size_t tcp_urgent = 18, tcp_smallest = 20;
constexpr std::byte fin_and_psh{0x01 | 0x08}, urg{0x20}, cwr{0x80};
constexpr std::uint8_t protocol_tcp = 6;

struct Layout {
  bool v4;
  std::size_t ip, tcp;  // Octets of each header.
  [[nodiscard]] std::size_t headers() const { return ip + tcp; }
};

std::optional<Layout> layout_of(Bytes linear) {
  if (linear.empty()) return std::nullopt;
  const bool v4 = linear[0] >> 4 == std::byte{4};
  const std::size_t ip = v4 ? std::size_t(linear[0] & std::byte{0x0f}) * 4 : ipv6_size;
  if (linear.size() < ip + tcp_smallest) return std::nullopt;
  if (linear[v4 ? ipv4_protocol : ipv6_protocol] != std::byte{protocol_tcp}) return std::nullopt;
  const std::size_t tcp = std::size_t(linear[ip + tcp_offset] >> 4) * 4;
  return tcp < tcp_smallest || linear.size() < ip + tcp ? std::nullopt
                                                        : std::optional{Layout{v4, ip, tcp}};
}

void finish_checksum(Packet& packet, const Layout& layout) {
  const auto linear = packet.linear();
  store_be<std::uint16_t>(&linear[layout.ip + tcp_checksum], 0);
  Checksum sum;
  sum.add(layout.v4 ? linear.subspan(ipv4_addresses, 8) : linear.subspan(ipv6_addresses, 32));
  sum.add16(protocol_tcp).add32(std::uint32_t(packet.size() - layout.ip));
  packet.for_each_part(layout.ip, [&](Bytes part) { sum.add(part); });
  store_be(&linear[layout.ip + tcp_checksum], sum.value());
  packet.offload().checksum = Offload::Checksum::complete;
}

void set_ip_length(Packet& packet, const Layout& layout) {
  const auto ip = packet.linear().first(layout.ip);
  if (!layout.v4) return store_be(&ip[ipv6_length], std::uint16_t(packet.size() - ipv6_size));
  store_be(&ip[ipv4_length], std::uint16_t(packet.size()));
  store_be<std::uint16_t>(&ip[ipv4_checksum], 0);
  store_be(&ip[ipv4_checksum], Checksum{}.add(ip).value());
}

// Makes the headers of the super-segment those of the segment whose text begins at `offset` of it.
void set_tcp_fields(MutableBytes tcp, std::size_t offset, bool is_last) {
  store_be(&tcp[tcp_seq], load_be<std::uint32_t>(&tcp[tcp_seq]) + std::uint32_t(offset));
  auto& flags = tcp[tcp_flags];
  if (!is_last) flags &= ~fin_and_psh;
  if (offset > 0) flags &= ~cwr;  // RFC 3168 §6.1.2: once for each reduction.
  if ((flags & urg) == std::byte{}) return;
  // The pointer counts from the segment's own number (MUST-62), which has moved.
  const auto urgent = load_be<std::uint16_t>(&tcp[tcp_urgent]);
  if (urgent <= offset) flags &= ~urg;
  store_be(&tcp[tcp_urgent], std::uint16_t(urgent > offset ? urgent - offset : 0));
}

// The headers and a stretch of the text: shared where the slices suffice, else copied.
Packet stretch(PacketPool& pool, const Packet& whole, std::size_t headers, std::size_t begin,
               std::size_t length) {
  if (Packet part = pool.share(whole, headers, begin, length)) return part;
  Packet part = pool.allocate(headers + length);
  if (!part) return part;
  whole.copy_to(part.linear().first(headers));
  whole.copy_to(part.linear().subspan(headers), begin);
  return part;
}

}  // namespace

void finish_checksum(Packet& packet) {
  if (packet.offload().checksum == Offload::Checksum::complete) return;
  if (const auto layout = layout_of(packet.linear())) finish_checksum(packet, *layout);
}

std::size_t cut(PacketPool& pool, Packet packet, PacketList& out) {
  const std::size_t size = packet.offload().segment_size;
  const auto layout = size > 0 ? layout_of(packet.linear()) : std::nullopt;
  if (!layout || packet.size() <= layout->headers() + size) {
    packet.offload().segment_size = 0;
    finish_checksum(packet);
    out.push_back(std::move(packet));
    return 0;
  }
  std::size_t dropped = 0;
  const auto text = packet.size() - layout->headers();
  for (std::size_t offset = 0; offset < text; offset += size) {
    const auto length = std::min(size, text - offset);
    Packet segment = stretch(pool, packet, layout->headers(), layout->headers() + offset, length);
    if (!segment) {
      ++dropped;
      continue;
    }
    segment.offload() = {};
    segment.interface() = packet.interface();
    set_ip_length(segment, *layout);
    set_tcp_fields(segment.linear().subspan(layout->ip), offset, offset + length == text);
    finish_checksum(segment, *layout);
    out.push_back(std::move(segment));
  }
  return dropped;
}

}  // namespace estab::link
