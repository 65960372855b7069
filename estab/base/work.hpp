// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <cstdint>

namespace estab {

// Counts the entries that one call handles, so that no call grows with the number of connections:
// timers that fire or move, records that expire, table entries that move, connections that end or
// transmit. What a call leaves undone is due at once, in the next call.
class Work {
 public:
  // No call handles more entries than this.
  static constexpr std::uint32_t limit = 4096;

  // A call begins.
  void begin() { done_ = allowed_ = 0; }
  // From here on the call may take so many entries.
  void allow(std::uint32_t entries) { allowed_ = done_ + entries; }
  // Counts one entry; false, and counts nothing: the rest is for the next call.
  [[nodiscard]] bool take() {
    if (done_ >= allowed_) return false;
    count(1);
    return true;
  }
  // Counts what one entry brought along.
  void count(std::uint64_t entries) {
    done_ += std::uint32_t(entries);
    most_ = std::max(most_, done_);
  }
  // The most entries that any call has handled so far.
  [[nodiscard]] std::uint32_t most() const { return most_; }

 private:
  std::uint32_t done_ = 0, allowed_ = 0, most_ = 0;
};

}  // namespace estab
