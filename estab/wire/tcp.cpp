// SPDX-License-Identifier: Apache-2.0
#include "estab/wire/tcp.hpp"

#include <algorithm>
#include <cassert>

namespace estab::wire {
namespace {

enum Kind : std::uint8_t {
  end_of_list = 0,
  no_operation = 1,
  mss = 2,
  window_scale = 3,
  sack_permitted = 4,
  sack = 5,
  timestamps = 8,
};

bool take_sack(Options& o, Bytes body) {
  if (body.size() % 8 != 0) return false;
  if (o.sack_count != 0) return true;
  for (; !body.empty() && o.sack_count < o.sack.size(); body = body.subspan(8))
    o.sack[o.sack_count++] = {Seq(load_be<std::uint32_t>(&body[0])),
                              Seq(load_be<std::uint32_t>(&body[4]))};
  return true;
}

// One option that ends within the list, the first of its kind counts; false: a known kind has not
// the length of its kind.
bool take_option(Options& o, std::uint8_t kind, Bytes body) {
  switch (kind) {
    case mss:
      if (body.size() != 2) return false;
      if (!o.mss) o.mss = load_be<std::uint16_t>(&body[0]);
      return true;
    case window_scale:
      if (body.size() != 1) return false;
      if (!o.window_scale) o.window_scale = std::uint8_t(body[0]);
      return true;
    case sack_permitted: o.sack_permitted = true; return body.empty();
    case sack:           return take_sack(o, body);
    case timestamps:
      if (body.size() != 8) return false;
      if (!o.timestamps)
        o.timestamps = {load_be<std::uint32_t>(&body[0]), load_be<std::uint32_t>(&body[4])};
      return true;
    default: return true;
  }
}

// False: a length is illegal (MUST-7).
bool parse_options(Options& o, Bytes list) {
  while (!list.empty()) {
    const auto kind = std::uint8_t(list[0]);
    if (kind == end_of_list) break;
    if (kind == no_operation) {
      list = list.subspan(1);
      continue;
    }
    if (list.size() < 2) return false;
    const auto length = std::size_t(list[1]);
    if (length < 2 || length > list.size()) return false;
    if (!take_option(o, kind, list.subspan(2, length - 2))) return false;
    list = list.subspan(length);
  }
  return true;
}

class OptionWriter {
 public:
  explicit OptionWriter(std::byte* at) : at_(at) {}
  OptionWriter& u8(std::uint8_t v) { return *at_++ = std::byte{v}, *this; }
  OptionWriter& u16(std::uint16_t v) { return store_be(at_, v), at_ += 2, *this; }
  OptionWriter& u32(std::uint32_t v) { return store_be(at_, v), at_ += 4, *this; }
  OptionWriter& nop() { return u8(no_operation); }

 private:
  std::byte* at_;
};

// SYN: mss, sackOK, TS, nop, wscale; the two octets of sackOK stand where TS has its padding.
void emit_options(const Options& o, std::byte* at) {
  OptionWriter w{at};
  if (o.mss) w.u8(mss).u8(4).u16(*o.mss);
  if (o.timestamps) {
    if (o.sack_permitted) w.u8(sack_permitted).u8(2);
    else w.nop().nop();
    w.u8(timestamps).u8(10).u32(o.timestamps->value).u32(o.timestamps->echo);
  } else if (o.sack_permitted) {
    w.nop().nop().u8(sack_permitted).u8(2);
  }
  if (o.window_scale) w.nop().u8(window_scale).u8(3).u8(*o.window_scale);
  if (o.sack_count > 0) {
    w.nop().nop().u8(sack).u8(std::uint8_t(2 + 8 * o.sack_count));
    for (const auto& block : o.sacks()) w.u32(block.begin.raw()).u32(block.end.raw());
  }
}

Reason parse_into(ParsedTcp& parsed, Bytes s) {
  if (s.size() < tcp_header_size) return Reason::tcp_short;
  const std::size_t length = (std::uint8_t(s[12]) >> 4) * 4u;
  if (length < tcp_header_size || length > s.size()) return Reason::tcp_data_offset;
  TcpHeader& h = parsed.header;
  h.source = Port{load_be<std::uint16_t>(&s[0])};
  h.destination = Port{load_be<std::uint16_t>(&s[2])};
  h.seq = Seq(load_be<std::uint32_t>(&s[4]));
  h.ack = Seq(load_be<std::uint32_t>(&s[8]));
  h.flags = Flags::from(std::uint8_t(s[13]));
  h.window = load_be<std::uint16_t>(&s[14]);
  h.urgent = load_be<std::uint16_t>(&s[18]);
  if (length > tcp_header_size &&
      !parse_options(h.options, s.subspan(tcp_header_size, length - tcp_header_size)))
    return Reason::tcp_option_length;
  parsed.length = length;
  return Reason::none;
}

}  // namespace

// Parsed in its place: a copy would wait for all the small stores before it.
std::expected<ParsedTcp, Reason> parse_tcp(Bytes segment) {
  std::expected<ParsedTcp, Reason> parsed;
  if (const auto wrong = parse_into(*parsed, segment); wrong != Reason::none)
    parsed = std::unexpected(wrong);
  return parsed;
}

std::size_t tcp_size(const TcpHeader& h) {
  const Options& o = h.options;
  std::size_t size = tcp_header_size;
  if (o.mss) size += 4;
  if (o.timestamps) size += 12;
  else if (o.sack_permitted) size += 4;
  if (o.window_scale) size += 4;
  size += sack_size(o.sack_count);
  assert(size <= tcp_largest_header);
  return size;
}

void emit_tcp(const TcpHeader& h, MutableBytes out) {
  const std::size_t size = tcp_size(h);
  assert(out.size() >= size);
  std::byte* at = out.data();
  store_be(at, number(h.source));
  store_be(at + 2, number(h.destination));
  store_be(at + 4, h.seq.raw());
  store_be(at + 8, h.ack.raw());
  at[12] = std::byte(size / 4 << 4);
  at[13] = std::byte{h.flags.octet()};
  store_be(at + 14, h.window);
  store_be(at + 16, std::uint16_t{0});
  store_be(at + 18, h.urgent);
  emit_options(h.options, at + tcp_header_size);
}

}  // namespace estab::wire
