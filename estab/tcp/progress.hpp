// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <cstdint>
#include <limits>

namespace estab::tcp {

// How long a peer has kept a connection waiting. Progress is bytes that the peer acknowledged, or
// that came from it in order. It counts once it makes `least_rate` on average, so that a byte now
// and then is none. Times are the stack's clock in ms modulo 2^32.
class Progress {
 public:
  static constexpr std::uint32_t least_rate = 64;          // Bytes a second.
  static constexpr std::uint32_t longest_rhythm = 30'000;  // ms.

  // From now on something waits for the peer.
  void begin(std::uint32_t now) { last_ = now, bytes_ = 0, rhythm_ = 0; }
  void made(std::uint32_t bytes, std::uint32_t now) {
    bytes_ += std::min(bytes, std::numeric_limits<std::uint32_t>::max() - bytes_);
    const std::uint32_t gap = now - last_;
    if (std::uint64_t{bytes_} * 1000 < std::uint64_t{gap} * least_rate) return;
    if (gap >= 1000) rhythm_ = std::uint16_t(std::min(gap, longest_rhythm));
    last_ = now, bytes_ = 0;
  }

  // Time without progress, in ms.
  [[nodiscard]] std::uint32_t stalled(std::uint32_t now) const { return now - last_; }
  // The same, less three times the longest wait after which it went on last, in ms: a slow reader
  // is overdue only when it is later than it ever was. 0: it is not.
  [[nodiscard]] std::uint32_t overdue(std::uint32_t now) const {
    const std::uint32_t due = 3u * rhythm_;
    return stalled(now) > due ? stalled(now) - due : 0;
  }

 private:
  std::uint32_t last_ = 0;   // When it last counted.
  std::uint32_t bytes_ = 0;  // Since then.
  std::uint16_t rhythm_ = 0;
};

}  // namespace estab::tcp
