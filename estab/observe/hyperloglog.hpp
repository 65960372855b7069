// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstdint>

namespace estab::observe {

// How many different things were seen, in 256 octets, whatever their number (Flajolet, Fusy,
// Gandouet, Meunier 2007). Standard error 1.04 / sqrt(256) = 6.5 %; small numbers are counted by
// the registers left empty. Two of them merge into that of the union. Takes keyed 64-bit hashes.
class HyperLogLog {
 public:
  void add(std::uint64_t hash);
  void merge(const HyperLogLog& other);
  void clear() { registers_ = {}; }
  [[nodiscard]] double estimate() const;

 private:
  static constexpr unsigned index_bits = 8;
  std::array<std::uint8_t, 1 << index_bits> registers_{};
};

}  // namespace estab::observe
