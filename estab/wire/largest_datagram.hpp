// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>

#include "estab/base/packet.hpp"
#include "estab/wire/ip.hpp"
#include "estab/wire/tcp.hpp"

namespace estab::wire {

// Bytes of the largest IP datagram that a packet becomes on the way: the packet itself or, for a
// super-segment, its headers and the text of one segment.
[[nodiscard]] inline std::size_t largest_datagram(const Packet& packet) {
  const std::size_t segment_size = packet.offload().segment_size;
  if (segment_size == 0) return packet.size();
  const auto ip = parse_ip(packet.linear(), packet.size());
  if (!ip) return packet.size();
  const auto tcp = parse_tcp(packet.linear().subspan(ip->header_length));
  if (!tcp) return packet.size();
  return std::min(packet.size(), ip->header_length + tcp->length + segment_size);
}

// What a device with this MTU asserts of each packet that it is given.
[[nodiscard]] inline bool fits(const Packet& packet, std::uint32_t mtu) {
  return largest_datagram(packet) <= mtu;
}

}  // namespace estab::wire
