// SPDX-License-Identifier: Apache-2.0
#include "estab/link/virtio_net.hpp"

#include "estab/wire/ip.hpp"
#include "estab/wire/tcp.hpp"

namespace estab::link {
namespace {

constexpr std::size_t tcp_offset = 12, tcp_flags = 13;
constexpr std::byte cwr{0x80}, urg{0x20};

bool is_v4(const Packet& packet) { return packet.linear()[0] >> 4 == std::byte{4}; }

// What estab sends has neither options of IPv4 nor extension headers of IPv6.
std::size_t ip_size(const Packet& packet) {
  return is_v4(packet) ? wire::ipv4_header_size : wire::ipv6_header_size;
}

}  // namespace

VirtioNetHeader to_virtio(const Packet& packet) {
  VirtioNetHeader header{};
  const auto& notes = packet.offload();
  if (notes.checksum != Offload::Checksum::owed) return header;
  const std::size_t ip = ip_size(packet);
  const auto linear = packet.linear();
  header.flags = VirtioNetHeader::needs_checksum;
  header.checksum_start = std::uint16_t(ip);
  header.checksum_offset = std::uint16_t(wire::tcp_checksum_offset);
  const std::size_t headers = ip + std::size_t(linear[ip + tcp_offset] >> 4) * 4;
  if (notes.segment_size == 0 || packet.size() <= headers + notes.segment_size) return header;
  header.gso_type = is_v4(packet) ? VirtioNetHeader::tcp_v4 : VirtioNetHeader::tcp_v6;
  if ((linear[ip + tcp_flags] & cwr) != std::byte{}) header.gso_type |= VirtioNetHeader::with_ecn;
  header.segment_size = notes.segment_size;
  header.header_length = std::uint16_t(headers);
  return header;
}

Offload from_virtio(const VirtioNetHeader& header) {
  Offload notes;
  if (header.flags & (VirtioNetHeader::needs_checksum | VirtioNetHeader::data_valid))
    notes.checksum = Offload::Checksum::verified;
  switch (header.gso_type & ~VirtioNetHeader::with_ecn) {
    case VirtioNetHeader::tcp_v4:
    case VirtioNetHeader::tcp_v6: notes.segment_size = header.segment_size; break;
    default:                      break;
  }
  return notes;
}

bool virtio_can_cut(const Packet& packet) {
  return packet.offload().segment_size == 0 ||
         (packet.linear()[ip_size(packet) + tcp_flags] & urg) == std::byte{};
}

}  // namespace estab::link
