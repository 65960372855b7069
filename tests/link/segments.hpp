// SPDX-License-Identifier: Apache-2.0
// Packets for the tests of the devices, and the straightforward way to cut one.
#pragma once
#include <algorithm>
#include <string>
#include <vector>

#include "estab/base/packet.hpp"
#include "estab/base/random.hpp"
#include "estab/wire/ip.hpp"
#include "estab/wire/tcp.hpp"

namespace estab::link {

using Contents = std::vector<std::byte>;

inline Contents contents(const Packet& packet) {
  Contents all(packet.size());
  packet.copy_to(all);
  return all;
}

inline Contents random_octets(std::size_t count, std::uint64_t seed = 1) {
  Contents octets(count);
  Random random(seed);
  for (auto& octet : octets) octet = std::byte(random());
  return octets;
}

struct Segment {
  wire::IpHeader ip{.source = Address::v4(10, 77, 0, 2),
                    .destination = Address::v4(10, 77, 0, 1),
                    .protocol = wire::Protocol::tcp};
  wire::TcpHeader tcp{.source = Port{7},
                      .destination = Port{40000},
                      .seq = Seq(1000),
                      .ack = Seq(5),
                      .flags = {.ack = true},
                      .window = 1024};
  Contents text;
};

inline Segment v6(Segment segment) {
  segment.ip.source = Address::parse("2001:db8::2").value();
  segment.ip.destination = Address::parse("2001:db8::1").value();
  return segment;
}

// The whole packet, its checksums computed here.
inline Contents encode(Segment segment) {
  const auto ip = wire::ip_header_size(segment.ip.source), tcp = wire::tcp_size(segment.tcp);
  segment.ip.header_length = std::uint16_t(ip);
  segment.ip.total_length = std::uint32_t(ip + tcp + segment.text.size());
  Contents all(segment.ip.total_length);
  wire::emit_ip(segment.ip, all);
  wire::emit_tcp(segment.tcp, MutableBytes{all}.subspan(ip));
  std::ranges::copy(segment.text, all.begin() + std::ptrdiff_t(ip + tcp));
  const auto sum = wire::pseudo_header(segment.ip.source, segment.ip.destination,
                                       wire::Protocol::tcp, segment.ip.payload_length())
                       .add(Bytes{all}.subspan(ip));
  store_be(&all[ip + wire::tcp_checksum_offset], sum.value());
  return all;
}

// The packet as the stack hands it over: headers, then the text in slices of at most `slice`
// octets, and the checksum owed.
inline Packet owing(PacketPool& pool, const Segment& segment, std::uint16_t segment_size,
                    std::size_t slice = 16000) {
  auto all = encode(segment);
  const auto headers = all.size() - segment.text.size();
  const auto ip = wire::ip_header_size(segment.ip.source);
  store_be(&all[ip + wire::tcp_checksum_offset],
           wire::pseudo_header(segment.ip.source, segment.ip.destination, wire::Protocol::tcp,
                               std::uint32_t(all.size() - ip))
               .sum());
  Packet packet = pool.allocate_gather();
  std::ranges::copy(Bytes{all}.first(headers), packet.push_front(headers).begin());
  for (std::size_t at = headers; at < all.size(); at += slice) {
    const auto length = std::min(slice, all.size() - at);
    const BufferRef chunk = pool.allocate_chunk(length);
    std::ranges::copy(Bytes{all}.subspan(at, length), chunk->data());
    if (!packet.append_slice(chunk.get(), 0, std::uint32_t(length))) return {};
  }
  packet.offload() = {.checksum = Offload::Checksum::owed, .segment_size = segment_size};
  return packet;
}

inline Packet plain(PacketPool& pool, Bytes octets) {
  Packet packet = pool.allocate(octets.size());
  std::ranges::copy(octets, packet.linear().begin());
  return packet;
}

// What cut() must make, said the simple way: each segment made anew from its header and text.
inline std::vector<Contents> cut_simply(const Segment& whole, std::size_t size) {
  std::vector<Contents> segments;
  for (std::size_t at = 0; at < whole.text.size(); at += size) {
    Segment part = whole;
    const bool is_first = at == 0, is_last = at + size >= whole.text.size();
    part.tcp.seq += std::uint32_t(at);
    part.tcp.flags.fin = part.tcp.flags.fin && is_last;
    part.tcp.flags.psh = part.tcp.flags.psh && is_last;
    part.tcp.flags.cwr = part.tcp.flags.cwr && is_first;
    part.tcp.flags.urg = part.tcp.flags.urg && whole.tcp.urgent > at;
    part.tcp.urgent = part.tcp.flags.urg ? std::uint16_t(whole.tcp.urgent - at) : std::uint16_t{0};
    const auto text = Bytes{whole.text}.subspan(at, std::min(size, whole.text.size() - at));
    part.text.assign(text.begin(), text.end());
    segments.push_back(encode(part));
  }
  return segments;
}

}  // namespace estab::link
