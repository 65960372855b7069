// SPDX-License-Identifier: Apache-2.0
#include "segment.hpp"

namespace estab::raw {
namespace {

constexpr std::uint8_t tcp = 6;

void put16(std::vector<std::uint8_t>& out, std::uint32_t value) {
  out.push_back(std::uint8_t(value >> 8));
  out.push_back(std::uint8_t(value));
}
void put32(std::vector<std::uint8_t>& out, std::uint32_t value) {
  put16(out, value >> 16);
  put16(out, value & 0xffff);
}
void put(std::vector<std::uint8_t>& out, const Address& address) {
  const auto& octets = address.octets();
  out.insert(out.end(), octets.begin() + (address.is_v4() ? 12 : 0), octets.end());
}
std::uint16_t get16(std::span<const std::uint8_t> in, std::size_t at) {
  return std::uint16_t(in[at] << 8 | in[at + 1]);
}
std::uint32_t get32(std::span<const std::uint8_t> in, std::size_t at) {
  return std::uint32_t(get16(in, at)) << 16 | get16(in, at + 2);
}

// RFC 1071, not folded.
std::uint64_t sum_of(std::span<const std::uint8_t> in) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i + 1 < in.size(); i += 2) sum += get16(in, i);
  if (in.size() % 2 == 1) sum += std::uint32_t(in.back()) << 8;
  return sum;
}
std::uint16_t fold(std::uint64_t sum) {
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return std::uint16_t(~sum);
}
void set16(std::vector<std::uint8_t>& out, std::size_t at, std::uint16_t value) {
  out[at] = std::uint8_t(value >> 8);
  out[at + 1] = std::uint8_t(value);
}

std::vector<std::uint8_t> options_of(const Segment& s) {
  std::vector<std::uint8_t> out;
  if (s.mss) out.insert(out.end(), {2, 4}), put16(out, *s.mss);
  if (s.sack_permitted) out.insert(out.end(), {1, 1, 4, 2});
  if (s.timestamps) {
    out.insert(out.end(), {1, 1, 8, 10});
    put32(out, s.timestamps->value);
    put32(out, s.timestamps->echo);
  }
  if (s.scale) out.insert(out.end(), {1, 3, 3, *s.scale});
  if (!s.sack.empty()) {
    out.insert(out.end(), {1, 1, 5, std::uint8_t(2 + 8 * s.sack.size())});
    for (const auto& block : s.sack) put32(out, block.begin), put32(out, block.end);
  }
  return out;
}

void put_ip_header(std::vector<std::uint8_t>& out, const Segment& s, std::size_t tcp_size) {
  if (s.from.address.is_v4()) {
    out.insert(out.end(), {0x45, 0});
    put16(out, std::uint32_t(20 + tcp_size));
    out.insert(out.end(), {0, 0, 0x40, 0, s.hop_limit, tcp, 0, 0});
  } else {
    out.insert(out.end(), {0x60, 0, 0, 0});
    put16(out, std::uint32_t(tcp_size));
    out.insert(out.end(), {tcp, s.hop_limit});
  }
  put(out, s.from.address);
  put(out, s.to.address);
  if (s.from.address.is_v4()) set16(out, 10, fold(sum_of(out)));
}

void parse_options(std::span<const std::uint8_t> in, Segment& s) {
  s.option_bytes = in.size();
  for (std::size_t at = 0; at < in.size() && in[at] != 0;) {
    if (in[at] == 1) {
      ++at;
      continue;
    }
    if (at + 1 >= in.size() || in[at + 1] < 2 || at + in[at + 1] > in.size()) return;
    const std::size_t length = in[at + 1];
    if (in[at] == 2 && length == 4) s.mss = get16(in, at + 2);
    if (in[at] == 3 && length == 3) s.scale = in[at + 2];
    if (in[at] == 4) s.sack_permitted = true;
    if (in[at] == 8 && length == 10) s.timestamps = {get32(in, at + 2), get32(in, at + 6)};
    if (in[at] == 5)
      for (std::size_t b = at + 2; b + 8 <= at + length; b += 8)
        s.sack.push_back({get32(in, b), get32(in, b + 4)});
    at += length;
  }
}

}  // namespace

std::vector<std::uint8_t> to_datagram(const Segment& s) {
  const auto options = options_of(s);
  const std::size_t header = 20 + options.size(), size = header + s.text.size();
  std::vector<std::uint8_t> out;
  out.reserve(40 + size);
  put_ip_header(out, s, size);
  const std::size_t at = out.size();
  put16(out, number(s.from.port));
  put16(out, number(s.to.port));
  put32(out, s.sequence);
  put32(out, s.acknowledgment);
  out.push_back(std::uint8_t(header / 4 << 4));
  out.push_back(s.flags);
  put16(out, s.window);
  put16(out, 0);
  put16(out, s.urgent);
  out.insert(out.end(), options.begin(), options.end());
  out.insert(out.end(), s.text.begin(), s.text.end());
  const std::size_t addresses = s.from.address.is_v4() ? 8 : 32;
  set16(out, at + 16,
        fold(sum_of(std::span(out).subspan(at - addresses)) + tcp + std::uint64_t(size)));
  return out;
}

std::optional<Segment> from_datagram(std::span<const std::uint8_t> in) {
  Segment s;
  std::size_t at = 0, end = 0;
  if (in.size() >= 40 && in[0] >> 4 == 4 && in[9] == tcp && (get16(in, 6) & 0x3fff) == 0) {
    at = std::size_t(in[0] & 15) * 4;
    end = get16(in, 2) == 0 ? in.size() : get16(in, 2);  // 0: a GSO packet of more than 64 KiB.
    s.hop_limit = in[8];
    s.from.address = Address::v4(get32(in, 12));
    s.to.address = Address::v4(get32(in, 16));
  } else if (in.size() >= 60 && in[0] >> 4 == 6 && in[6] == tcp) {
    at = 40;
    end = get16(in, 4) == 0 ? in.size() : 40uz + get16(in, 4);
    s.hop_limit = in[7];
    s.from.address = Address::v6(reinterpret_cast<const std::byte*>(&in[8]));
    s.to.address = Address::v6(reinterpret_cast<const std::byte*>(&in[24]));
  }
  if (at == 0 || end > in.size() || at + 20 > end) return std::nullopt;
  const std::size_t header = std::size_t(in[at + 12] >> 4) * 4;
  if (header < 20 || at + header > end) return std::nullopt;
  s.from.port = Port{get16(in, at)};
  s.to.port = Port{get16(in, at + 2)};
  s.sequence = get32(in, at + 4);
  s.acknowledgment = get32(in, at + 8);
  s.flags = in[at + 13];
  s.window = get16(in, at + 14);
  s.urgent = get16(in, at + 18);
  parse_options(in.subspan(at + 20, header - 20), s);
  s.text = {reinterpret_cast<const char*>(in.data()) + at + header, end - at - header};
  return s;
}

}  // namespace estab::raw
