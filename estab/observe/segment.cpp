// SPDX-License-Identifier: Apache-2.0
#include "estab/observe/segment.hpp"

#include "estab/wire/ip.hpp"

namespace estab::observe {

std::optional<Segment> read_segment(const Event& event, Bytes packet) {
  if (packet.empty()) return {};
  const auto ip = wire::parse_ip(packet, event.length);
  if (!ip || ip->protocol != wire::Protocol::tcp) return {};
  const auto end = std::min<std::size_t>(packet.size(), ip->total_length);
  const auto tcp = wire::parse_tcp(packet.subspan(ip->header_length, end - ip->header_length));
  if (!tcp) return {};
  return Segment{.source = {ip->source, tcp->header.source},
                 .destination = {ip->destination, tcp->header.destination},
                 .tcp = tcp->header,
                 .text = ip->payload_length() - std::uint32_t(tcp->length)};
}

}  // namespace estab::observe
