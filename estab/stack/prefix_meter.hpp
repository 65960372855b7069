// SPDX-License-Identifier: Apache-2.0
// How much was sent to each network (/24, IPv6 /56) this second, in fixed memory: a count-min
// sketch (Cormode, Muthukrishnan 2005), less the mean of a row, so that a flood to everywhere is
// not taken for one to somebody.
#pragma once
#include <algorithm>
#include <cstdint>
#include <vector>

#include "estab/base/time.hpp"

namespace estab {

// Networks go by their keyed hash (hash_source_prefix). Not thread-safe.
class PrefixMeter {
 public:
  // `limit`: a second and a network.
  explicit PrefixMeter(std::uint32_t limit) : limit_(limit) {}

  // Counts one; false, and counts nothing: the network has had its share.
  [[nodiscard]] bool take(std::uint64_t network, Instant now) {
    renew(now);
    std::uint32_t least = ~0u;
    for_each(network, [&](std::uint32_t& count) { least = std::min(least, count); });
    if (least >= limit_ + total_ / width) return false;
    // All of them, though some count others too: give_back() takes from all.
    for_each(network, [&](std::uint32_t& count) { ++count; });
    ++total_;
    return true;
  }
  // One of this second's has proved to be wanted.
  void give_back(std::uint64_t network, Instant now) {
    renew(now);
    std::uint32_t least = ~0u;
    for_each(network, [&](std::uint32_t& count) { least = std::min(least, count); });
    if (least == 0) return;
    for_each(network, [&](std::uint32_t& count) { --count; });
    --total_;
  }
  [[nodiscard]] std::size_t bytes() const {
    return (counts_.size() + seconds_.size()) * sizeof(std::uint32_t);
  }

 private:
  static constexpr std::uint32_t width = 4096, rows = 4;  // 64 KiB.
  static constexpr std::uint32_t block = 64;  // Counters that are cleared at once, when one is met.

  void renew(Instant now) {
    if (now - began_ < 1s && !counts_.empty()) return;
    began_ = now;
    total_ = 0;
    ++second_;
    if (!counts_.empty()) return;
    counts_.resize(width * rows);
    seconds_.resize(width * rows / block);
  }
  template <class F>
  void for_each(std::uint64_t network, F&& f) {
    for (std::uint32_t row = 0; row < rows; ++row)
      f(counter(row * width + std::uint32_t(network >> (12 * row)) % width));
  }
  // Counters of a second that is over are cleared when they are met again.
  std::uint32_t& counter(std::uint32_t at) {
    if (std::uint32_t& second = seconds_[at / block]; second != second_) {
      second = second_;
      std::fill_n(counts_.begin() + at / block * block, block, 0);
    }
    return counts_[at];
  }

  std::uint32_t limit_, total_ = 0;
  std::uint32_t second_ = 0;  // The number of the second that is counted.
  Instant began_{};
  std::vector<std::uint32_t> counts_;
  std::vector<std::uint32_t> seconds_;  // When each block was cleared last.
};

}  // namespace estab
