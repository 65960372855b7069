// SPDX-License-Identifier: Apache-2.0
#include "estab/fault/forged_syns.hpp"

#include "estab/wire/ip.hpp"
#include "estab/wire/tcp.hpp"

namespace estab::fault {

Address ForgedSyns::source() {
  const unsigned host_bits = 32u - config_.sources.length;
  const std::uint64_t host = random_.below(std::uint64_t{1} << host_bits);
  auto octets = config_.sources.address.octets();
  for (std::size_t i = 0; i < 4; ++i)
    octets[15 - i] = std::uint8_t(octets[15 - i] | std::uint8_t(host >> (8 * i)));
  return Address::v6(octets);
}

Packet ForgedSyns::next(PacketPool& pool) {
  const Endpoint from{source(), Port{std::uint16_t(1024 + random_.below(64512))}};
  wire::TcpHeader h{.source = from.port,
                    .destination = config_.target.port,
                    .seq = Seq(std::uint32_t(random_())),
                    .flags = {.syn = true},
                    .window = 64240};
  h.options.mss = 1460;
  h.options.sack_permitted = true;
  h.options.window_scale = 7;
  if (random_.chance(config_.timestamps)) h.options.timestamps = {std::uint32_t(random_()), 0};
  const std::size_t tcp = wire::tcp_size(h), ip = wire::ip_header_size(from.address);
  Packet packet = pool.allocate(ip + tcp);
  if (!packet) return packet;
  const MutableBytes whole = packet.linear();
  wire::emit_tcp(h, whole.subspan(ip));
  auto sum = wire::pseudo_header(from.address, config_.target.address, wire::Protocol::tcp,
                                 std::uint32_t(tcp));
  store_be(&whole[ip + wire::tcp_checksum_offset], sum.add(whole.subspan(ip)).value());
  wire::emit_ip({.source = from.address,
                 .destination = config_.target.address,
                 .protocol = wire::Protocol::tcp,
                 .header_length = std::uint16_t(ip),
                 .total_length = std::uint32_t(ip + tcp)},
                whole.first(ip));
  return packet;
}

}  // namespace estab::fault
