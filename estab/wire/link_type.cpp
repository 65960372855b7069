// SPDX-License-Identifier: Apache-2.0
#include "estab/wire/link_type.hpp"

#include <algorithm>
#include <utility>

namespace estab::wire {
namespace {

constexpr std::uint16_t ether_ipv4 = 0x0800, ether_ipv6 = 0x86dd;
constexpr std::uint16_t vlan_tags[] = {0x8100, 0x88a8, 0x9100};

constexpr LinkType known[] = {LinkType::null,      LinkType::ethernet,    LinkType::raw,
                              LinkType::raw_bsd,   LinkType::raw_openbsd, LinkType::loop,
                              LinkType::linux_sll, LinkType::linux_sll2,  LinkType::ipv4,
                              LinkType::ipv6};

constexpr StrippedLink too_short{.is_ip = false, .cut_short = true, .length = 0};

// An EtherType at `at`, with what follows it `behind` octets later.
StrippedLink by_ether_type(Bytes packet, std::size_t at, std::size_t behind) {
  constexpr int most_tags = 4;
  for (int tags = 0; tags <= most_tags; ++tags) {
    if (packet.size() < at + 2) return too_short;
    const auto type = load_be<std::uint16_t>(&packet[at]);
    if (std::ranges::find(vlan_tags, type) == std::end(vlan_tags))
      return {.is_ip = type == ether_ipv4 || type == ether_ipv6,
              .cut_short = false,
              .length = at + behind};
    // The tag is two octets, and the next type follows it.
    at += behind + 2;
    behind = 2;
  }
  return {};
}

// AF_INET is 2 everywhere; AF_INET6 is 10 of Linux, 24, 28 and 30 of the BSDs. Files that are
// wrong about the byte order exist, so either is read.
StrippedLink by_family(Bytes packet) {
  if (packet.size() < 4) return too_short;
  const auto family = load_be<std::uint32_t>(&packet[0]);
  const auto is = [family](std::uint32_t f) { return family == f || family == std::byteswap(f); };
  return {.is_ip = is(2) || is(10) || is(24) || is(28) || is(30), .cut_short = false, .length = 4};
}

}  // namespace

bool is_known_link_type(std::uint16_t number) {
  return std::ranges::find(known, LinkType(number)) != std::end(known);
}

std::string known_link_types() {
  return "Ethernet, raw IP, Linux cooked (v1, v2), and the loopback of BSD";
}

StrippedLink strip_link(LinkType type, Bytes packet) {
  constexpr std::size_t sll2_header = 20;
  switch (type) {
    case LinkType::ethernet:   return by_ether_type(packet, 12, 2);
    case LinkType::linux_sll:  return by_ether_type(packet, 14, 2);
    case LinkType::linux_sll2: {
      // The protocol stands first, in front of all the rest.
      if (packet.size() < 2) return too_short;
      if (packet.size() < sll2_header) return too_short;
      return by_ether_type(packet, 0, sll2_header);
    }
    case LinkType::null:
    case LinkType::loop:        return by_family(packet);
    case LinkType::raw:
    case LinkType::raw_bsd:
    case LinkType::raw_openbsd:
    case LinkType::ipv4:
    case LinkType::ipv6:        return {.is_ip = true, .cut_short = false, .length = 0};
  }
  return {};
}

}  // namespace estab::wire
