// SPDX-License-Identifier: Apache-2.0
// What stands before the IP datagram in a captured packet, by the numbers of the pcap registry
// (draft-ietf-opsawg-pcaplinktype).
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "estab/base/bytes.hpp"

namespace estab::wire {

enum class LinkType : std::uint16_t {
  null = 0,  // A family of the host's, in the host's byte order.
  ethernet = 1,
  raw_bsd = 12,  // As raw, by old files ...
  raw_openbsd = 14,
  raw = 101,   // IPv4 or IPv6 by its first half octet.
  loop = 108,  // As null, in network byte order.
  linux_sll = 113,
  ipv4 = 228,
  ipv6 = 229,
  linux_sll2 = 276,
};

// Whether strip_link() knows this number.
[[nodiscard]] bool is_known_link_type(std::uint16_t number);
// "Ethernet, raw IP, …": those that it knows, to be told.
[[nodiscard]] std::string known_link_types();

struct StrippedLink {
  bool is_ip = false;      // Else it is of another protocol (ARP, say).
  bool cut_short = false;  // It ends before it says of which.
  std::size_t length = 0;  // Octets that stand before the datagram.
};
// Reads what stands before the datagram; of Ethernet with up to four VLAN tags (IEEE 802.1Q).
[[nodiscard]] StrippedLink strip_link(LinkType type, Bytes packet);

}  // namespace estab::wire
