// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "estab/wire/pcapng.hpp"
#include "estab/wire/pcapng_format.hpp"

namespace estab::wire::pcapng {
namespace {

constexpr std::uint32_t classic_microseconds = 0xa1b2c3d4, classic_nanoseconds = 0xa1b23c4d;
constexpr std::size_t classic_file_header = 24, classic_record_header = 16;
constexpr std::uint8_t binary = 0x80;  // In if_tsresol.

constexpr std::uint64_t power_of_ten(unsigned n) {
  std::uint64_t p = 1;
  while (n-- > 0) p *= 10;
  return p;
}

bool representable(std::uint8_t resolution) {
  return resolution & binary ? (resolution & ~binary) < 64 : resolution < 20;
}

// Exact to the nanosecond; past the ends of WallTime, which a file may name, the end itself.
WallTime wall_time(std::uint64_t units, const Interface& interface) {
  const unsigned n = interface.resolution & ~binary;
  std::uint64_t seconds, rest;
  if (interface.resolution & binary) {
    seconds = units >> n;
    rest = units - (seconds << n);
    // 2^34 * 10^9 just fits 64 bits.
    const unsigned cut = n > 34 ? n - 34 : 0;
    rest = (rest >> cut) * 1'000'000'000 >> (n - cut);
  } else {
    seconds = units / power_of_ten(n);
    rest = units % power_of_ten(n);
    rest = n <= 9 ? rest * power_of_ten(9 - n) : rest / power_of_ten(n - 9);
  }
  constexpr std::int64_t last = WallTime::max().time_since_epoch().count() / 1'000'000'000 - 1;
  const auto offset = std::clamp<std::int64_t>(interface.offset_seconds, -last, last);
  const auto sum = std::int64_t(std::min<std::uint64_t>(seconds, last)) + offset;
  return WallTime{std::chrono::seconds{std::clamp(sum, -last, last)} + Duration{rest}};
}

std::string text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

template <class T>
T Reader::load(Bytes from, std::size_t at) const {
  const auto value = load_be<T>(&from[at]);
  if constexpr (sizeof(T) == 1) return value;
  else return big_endian_ ? value : std::byteswap(value);
}

template <class F>
void Reader::for_each_option(Bytes options, F&& f) const {
  while (options.size() >= 4) {
    const auto code = load<std::uint16_t>(options, 0);
    const auto length = load<std::uint16_t>(options, 2);
    options = options.subspan(4);
    if (code == 0 || length > options.size()) return;
    f(code, options.first(length));
    options = options.subspan(std::min(padded(length), options.size()));
  }
}

Reader::Reader(Bytes file) : file_(file) {
  if (file.empty()) return;
  const auto magic = file.size() < 4 ? 0 : load_be<std::uint32_t>(&file[0]);
  if (magic != block_section && !start_pcap()) stop(Ending::not_a_capture);
}

bool Reader::start_pcap() {
  if (file_.size() < classic_file_header) return false;
  for (const bool big : {true, false}) {
    big_endian_ = big;
    const auto magic = load<std::uint32_t>(file_, 0);
    if (magic != classic_microseconds && magic != classic_nanoseconds) continue;
    Interface only;
    only.resolution = magic == classic_microseconds ? 6 : 9;
    only.snap_length = load<std::uint32_t>(file_, 16);
    only.link_type = std::uint16_t(load<std::uint32_t>(file_, 20));
    interfaces_.push_back(only);
    at_ = classic_file_header;
    return classic_ = true;
  }
  return false;
}

std::optional<CapturedPacket> Reader::next_record() {
  const Bytes rest = file_.subspan(at_);
  if (rest.empty()) return {};
  if (rest.size() < classic_record_header) return stop(Ending::cut_short), std::nullopt;
  const auto length = load<std::uint32_t>(rest, 8);
  if (length > rest.size() - classic_record_header) return stop(Ending::cut_short), std::nullopt;
  CapturedPacket packet;
  const auto units =
      std::uint64_t(load<std::uint32_t>(rest, 0)) * power_of_ten(interfaces_[0].resolution) +
      load<std::uint32_t>(rest, 4);
  packet.time = wall_time(units, interfaces_[0]);
  packet.original_length = load<std::uint32_t>(rest, 12);
  packet.data = rest.subspan(classic_record_header, length);
  at_ += classic_record_header + length;
  return packet;
}

bool Reader::take_byte_order(Bytes block) {
  if (block.size() < smallest_block) return stop(Ending::cut_short);
  for (const bool big : {true, false}) {
    big_endian_ = big;
    if (load<std::uint32_t>(block, 8) == byte_order_magic) return true;
  }
  return stop(Ending::malformed);
}

// The next whole block's body; none at the end.
std::optional<Bytes> Reader::next_block(std::uint32_t& type) {
  const Bytes rest = file_.subspan(at_);
  if (rest.empty()) return {};
  if (rest.size() < smallest_block) return stop(Ending::cut_short), std::nullopt;
  // A section's type reads the same in both byte orders, and tells which one follows.
  type = load<std::uint32_t>(rest, 0);
  if (type == block_section && !take_byte_order(rest)) return {};
  const auto length = load<std::uint32_t>(rest, 4);
  if (length < smallest_block || length % 4 != 0) return stop(Ending::malformed), std::nullopt;
  if (length > rest.size()) return stop(Ending::cut_short), std::nullopt;
  if (load<std::uint32_t>(rest, length - 4) != length) return stop(Ending::malformed), std::nullopt;
  return rest.subspan(8, length - smallest_block);
}

bool Reader::take_interface(Bytes body) {
  if (body.size() < 8) return stop(Ending::malformed);
  Interface interface;
  interface.resolution = 6;
  interface.link_type = load<std::uint16_t>(body, 0);
  interface.snap_length = load<std::uint32_t>(body, 4);
  for_each_option(body.subspan(8), [&](std::uint16_t code, Bytes value) {
    if (code == option_if_name) interface.name = text(value);
    if (code == option_if_tsresol && value.size() == 1)
      interface.resolution = std::uint8_t(value[0]);
    if (code == option_if_tsoffset && value.size() == 8)
      interface.offset_seconds = std::int64_t(load<std::uint64_t>(value, 0));
  });
  if (!representable(interface.resolution)) return stop(Ending::malformed);
  interfaces_.push_back(std::move(interface));
  return true;
}

bool Reader::take_packet(Bytes body, CapturedPacket& packet) const {
  constexpr std::size_t fixed = 20;
  if (body.size() < fixed) return false;
  packet.interface = load<std::uint32_t>(body, 0);
  const auto length = load<std::uint32_t>(body, 12);
  if (packet.interface >= interfaces_.size() || length > body.size() - fixed) return false;
  const auto units =
      std::uint64_t(load<std::uint32_t>(body, 4)) << 32 | load<std::uint32_t>(body, 8);
  packet.time = wall_time(units, interfaces_[packet.interface]);
  packet.original_length = load<std::uint32_t>(body, 16);
  packet.data = body.subspan(fixed, length);
  for_each_option(body.subspan(std::min(fixed + padded(length), body.size())),
                  [&](std::uint16_t code, Bytes value) {
                    if (code == option_comment)
                      packet.comment += (packet.comment.empty() ? "" : "\n") + text(value);
                    if (code == option_epb_flags && value.size() == 4) {
                      const auto direction = load<std::uint32_t>(value, 0) & 3;
                      packet.direction = direction == 3 ? Direction::unknown : Direction(direction);
                    }
                  });
  return true;
}

std::optional<CapturedPacket> Reader::next() {
  if (ending_ != Ending::complete) return {};
  if (classic_) return next_record();
  std::uint32_t type = 0;
  while (const auto body = next_block(type)) {
    std::optional<CapturedPacket> packet;
    if (type == block_section) interfaces_.clear();
    if (type == block_interface && !take_interface(*body)) return {};
    if (type == block_enhanced_packet && !take_packet(*body, packet.emplace()))
      return stop(Ending::malformed), std::nullopt;
    at_ += body->size() + smallest_block;
    if (packet) return packet;
  }
  return {};
}

}  // namespace estab::wire::pcapng
