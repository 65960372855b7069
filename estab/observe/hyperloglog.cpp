// SPDX-License-Identifier: Apache-2.0
#include "estab/observe/hyperloglog.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace estab::observe {

void HyperLogLog::add(std::uint64_t hash) {
  auto& highest = registers_[hash >> (64 - index_bits)];
  // The marker ends the count where the hash has no bit left.
  const std::uint64_t rest = hash << index_bits | 1ull << (index_bits - 1);
  highest = std::max(highest, std::uint8_t(std::countl_zero(rest) + 1));
}

void HyperLogLog::merge(const HyperLogLog& other) {
  for (std::size_t i = 0; i < registers_.size(); ++i)
    registers_[i] = std::max(registers_[i], other.registers_[i]);
}

double HyperLogLog::estimate() const {
  constexpr double m = 1 << index_bits;
  constexpr double alpha = 0.7213 / (1 + 1.079 / m);
  double sum = 0;
  for (const auto r : registers_) sum += std::ldexp(1.0, -int(r));
  const double raw = alpha * m * m / sum;
  const auto empty = std::ranges::count(registers_, 0);
  if (raw <= 2.5 * m && empty > 0) return m * std::log(m / double(empty));
  return raw;  // Hashes have 64 bits, so no correction for large numbers.
}

}  // namespace estab::observe
