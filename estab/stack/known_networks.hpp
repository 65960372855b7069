// SPDX-License-Identifier: Apache-2.0
// Networks whose hosts have completed a handshake and sent text within the last day or two: two
// Bloom filters that take turns. A forged source lies in one by chance only.
#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "estab/base/time.hpp"

namespace estab {

// Networks go by their keyed hash (prefix_meter.hpp). Not thread-safe.
class KnownNetworks {
 public:
  static constexpr Duration turn = 24h;

  void insert(std::uint64_t network, Instant now) {
    renew(now);
    for_each_bit(network, [&](std::size_t word, std::uint64_t bit) { newer_[word] |= bit; });
  }
  [[nodiscard]] bool holds(std::uint64_t network, Instant now) {
    if (newer_.empty()) return false;
    renew(now);
    bool newer = true, older = true;
    for_each_bit(network, [&](std::size_t word, std::uint64_t bit) {
      newer = newer && (newer_[word] & bit) != 0;
      older = older && (older_[word] & bit) != 0;
    });
    return newer || older;
  }

 private:
  static constexpr std::size_t bits = 32 * 1024 * 8;  // Of each filter.

  void renew(Instant now) {
    if (!newer_.empty() && now - began_ < turn) return;
    const bool stale = now - began_ >= 2 * turn;
    older_ = stale ? Filter{} : std::move(newer_);
    older_.resize(bits / 64);
    newer_.assign(bits / 64, 0);
    began_ = now;
  }
  template <class F>
  static void for_each_bit(std::uint64_t network, F&& f) {
    for (int i = 0; i < 3; ++i) {
      const std::size_t bit = (network >> (20 * i)) % bits;
      f(bit / 64, std::uint64_t{1} << bit % 64);
    }
  }

  using Filter = std::vector<std::uint64_t>;
  Filter newer_, older_;
  Instant began_{};
};

}  // namespace estab
