// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>

#include "estab/base/bytes.hpp"

namespace estab {

// The Internet checksum (RFC 1071) over parts of any length, odd ones included.
class Checksum {
 public:
  Checksum& add(Bytes part);
  Checksum& add16(std::uint16_t host_order) {
    add_word(host_order);
    return *this;
  }
  Checksum& add32(std::uint32_t host_order) {
    return add16(std::uint16_t(host_order >> 16)).add16(std::uint16_t(host_order));
  }
  // The ones'-complement sum so far, in host order, folded to 16 bits; not complemented.
  [[nodiscard]] std::uint16_t sum() const;
  // What belongs into the checksum field; over data that holds a right checksum it is 0.
  [[nodiscard]] std::uint16_t value() const { return std::uint16_t(~sum()); }

 private:
  void add_word(std::uint16_t word) { sum_ += odd_ ? std::uint16_t(word << 8 | word >> 8) : word; }
  std::uint64_t sum_ = 0;
  bool odd_ = false;  // The bytes so far end in the middle of a 16-bit word.
};

// The sum of big-endian 16-bit words over `data`, folded to 16 bits; a last odd byte counts as its
// word's first. `scalar_sum` is the portable form that the run-time choice is tested against.
[[nodiscard]] std::uint64_t ones_complement_sum(Bytes data);
[[nodiscard]] std::uint64_t scalar_sum(Bytes data);

}  // namespace estab
