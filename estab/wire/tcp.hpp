// SPDX-License-Identifier: Apache-2.0
// The TCP header and its options (RFC 9293 §3.1, RFC 7323, RFC 2018).
#pragma once
#include <array>
#include <expected>
#include <optional>

#include "estab/base/address.hpp"
#include "estab/base/seq.hpp"
#include "estab/event/reason.hpp"

namespace estab::wire {

// The eight control bits, of which six are RFC 793's.
struct Flags {
  bool fin = false, syn = false, rst = false, psh = false, ack = false, urg = false;
  bool ece = false, cwr = false;

  [[nodiscard]] constexpr std::uint8_t octet() const {
    return std::uint8_t(fin | syn << 1 | rst << 2 | psh << 3 | ack << 4 | urg << 5 | ece << 6 |
                        cwr << 7);
  }
  static constexpr Flags from(std::uint8_t o) {
    return {.fin = bool(o & 1),
            .syn = bool(o & 2),
            .rst = bool(o & 4),
            .psh = bool(o & 8),
            .ack = bool(o & 16),
            .urg = bool(o & 32),
            .ece = bool(o & 64),
            .cwr = bool(o & 128)};
  }
  friend bool operator==(Flags, Flags) = default;
};

struct Timestamps {
  std::uint32_t value = 0, echo = 0;
  friend bool operator==(const Timestamps&, const Timestamps&) = default;
};

struct SackBlock {
  Seq begin, end;  // end is the first number past the block.
  friend bool operator==(const SackBlock&, const SackBlock&) = default;
};

// The options that estab knows. Of a repeated option the first counts (threats 52).
struct Options {
  std::optional<std::uint16_t> mss;
  std::optional<std::uint8_t> window_scale;  // As sent; over 14 counts as 14 (RFC 7323 §2.3).
  bool sack_permitted = false;
  std::optional<Timestamps> timestamps;
  std::uint8_t sack_count = 0;
  std::array<SackBlock, 4> sack{};

  [[nodiscard]] std::span<const SackBlock> sacks() const { return {sack.data(), sack_count}; }
  friend bool operator==(const Options&, const Options&) = default;
};

struct TcpHeader {
  Port source{}, destination{};
  Seq seq, ack;
  Flags flags;
  std::uint16_t window = 0;  // As on the wire, not scaled.
  std::uint16_t urgent = 0;
  Options options;
  friend bool operator==(const TcpHeader&, const TcpHeader&) = default;
};

inline constexpr std::size_t tcp_header_size = 20, tcp_largest_header = 60;

struct ParsedTcp {
  TcpHeader header;
  std::size_t length;  // Octets of header and options.
};

// Reads the header in front of `segment`; the checksum is the caller's. Unknown options are skipped
// (MUST-6); one with an illegal length spoils the segment (MUST-7).
[[nodiscard]] std::expected<ParsedTcp, Reason> parse_tcp(Bytes segment);

// Octets that an option with so many SACK blocks takes, its padding included (RFC 2018 §3).
[[nodiscard]] constexpr std::uint32_t sack_size(std::size_t blocks) {
  return blocks == 0 ? 0 : std::uint32_t(4 + 8 * blocks);
}

// Octets that emit_tcp writes, a multiple of four.
[[nodiscard]] std::size_t tcp_size(const TcpHeader& header);
// Writes header and options in Linux's order and padding; checksum 0.
void emit_tcp(const TcpHeader& header, MutableBytes out);

inline constexpr std::size_t tcp_checksum_offset = 16;

}  // namespace estab::wire
