// SPDX-License-Identifier: Apache-2.0
// TCP segments in IP datagrams, as values, for peers that are no TCP: nothing here shares code with
// the stack that they test, but for addresses as values.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "estab/base/address.hpp"

namespace estab::raw {

inline constexpr std::uint8_t fin = 1, syn = 2, rst = 4, psh = 8, ack = 16, urg = 32;

struct Timestamps {
  std::uint32_t value = 0, echo = 0;
};
struct SackBlock {
  std::uint32_t begin = 0, end = 0;
};

struct Segment {
  Endpoint from, to;
  std::uint8_t hop_limit = 64;
  std::uint32_t sequence = 0, acknowledgment = 0;
  std::uint8_t flags = 0;
  std::uint16_t window = 0, urgent = 0;
  std::optional<std::uint16_t> mss;
  std::optional<std::uint8_t> scale;
  bool sack_permitted = false;
  std::optional<Timestamps> timestamps;
  std::vector<SackBlock> sack;   // At most 4, or 3 with timestamps.
  std::string_view text;         // Lent.
  std::size_t option_bytes = 0;  // As parsed, with padding.

  [[nodiscard]] bool has(std::uint8_t flag) const { return (flags & flag) != 0; }
  // Sequence numbers that it takes.
  [[nodiscard]] std::uint32_t length() const {
    return std::uint32_t(text.size()) + has(syn) + has(fin);
  }
};

// How far `a` lies behind `b` in sequence space; negative: before it.
[[nodiscard]] constexpr std::int32_t after(std::uint32_t a, std::uint32_t b) {
  return std::int32_t(a - b);
}

// A whole IP datagram, with right checksums.
[[nodiscard]] std::vector<std::uint8_t> to_datagram(const Segment& segment);
// The TCP segment of an IP datagram without IPv6 extension headers or fragmentation; nothing: it is
// none. Checksums are not verified: on this machine they may not have been filled in yet. The text
// is lent from the datagram.
[[nodiscard]] std::optional<Segment> from_datagram(std::span<const std::uint8_t> datagram);

}  // namespace estab::raw
