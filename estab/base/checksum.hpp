// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cassert>
#include <cstdint>

#include "estab/base/bytes.hpp"

namespace estab {

// Sums of 16-bit words in ones' complement, in the machine's byte order (RFC 1071 §2B): words of
// any width may be added if the carry is brought round, and the result is folded and swapped once.
namespace ones_complement {

[[nodiscard]] constexpr std::uint64_t add(std::uint64_t a, std::uint64_t b) {
  const std::uint64_t sum = a + b;
  return sum + (sum < b);
}
[[nodiscard]] constexpr std::uint16_t fold(std::uint64_t sum) {
  sum = (sum & 0xffff'ffff) + (sum >> 32);
  sum = (sum & 0xffff'ffff) + (sum >> 32);
  sum = (sum & 0xffff) + (sum >> 16);
  return std::uint16_t((sum & 0xffff) + (sum >> 16));
}
// To host order, and back.
[[nodiscard]] constexpr std::uint16_t swapped(std::uint16_t word) {
  return std::endian::native == std::endian::little ? std::byteswap(word) : word;
}
// Of any octets; a last odd one counts as its word's first. `portable` is the form that the
// run-time choice of `of` is tested against.
[[nodiscard]] std::uint64_t of(Bytes data);
[[nodiscard]] std::uint64_t portable(Bytes data);

}  // namespace ones_complement

// The Internet checksum (RFC 1071) over parts of any length, odd ones included.
class Checksum {
 public:
  Checksum& add(Bytes part) {
    const std::uint64_t sum = ones_complement::of(part);
    // After an odd number of octets the words lie the other way round.
    sum_ = ones_complement::add(sum_, odd_ ? std::byteswap(ones_complement::fold(sum)) : sum);
    odd_ ^= part.size() & 1;
    return *this;
  }
  Checksum& add16(std::uint16_t host_order) {
    const auto word = ones_complement::swapped(host_order);
    sum_ = ones_complement::add(sum_, odd_ ? std::byteswap(word) : word);
    return *this;
  }
  // Four words as they lie in memory, after an even number of octets.
  Checksum& add_words(std::uint64_t four) {
    assert(!odd_);
    return sum_ = ones_complement::add(sum_, four), *this;
  }
  Checksum& add32(std::uint32_t host_order) {
    return add16(std::uint16_t(host_order >> 16)).add16(std::uint16_t(host_order));
  }
  // The ones'-complement sum so far, in host order, folded to 16 bits; not complemented.
  [[nodiscard]] std::uint16_t sum() const {
    return ones_complement::swapped(ones_complement::fold(sum_));
  }
  // What belongs into the checksum field; over data that holds a right checksum it is 0.
  [[nodiscard]] std::uint16_t value() const { return std::uint16_t(~sum()); }

 private:
  std::uint64_t sum_ = 0;
  bool odd_ = false;  // The bytes so far end in the middle of a 16-bit word.
};

}  // namespace estab
