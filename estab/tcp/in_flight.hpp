// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>

#include "estab/tcp/scoreboard.hpp"

namespace estab::tcp {

// How far the congestion window limits the sender: a window that is not used must not grow (RFC
// 7661's concern). The judgement of one window of data holds until all of it is acknowledged, as in
// Linux, so that it does not matter whether ACKs come one by one or in a batch.
class WindowUse {
 public:
  // A transmit is done: from `una` to `nxt` is out; `limited`: the window kept data back.
  void sent(Seq una, Seq nxt, bool limited) {
    const std::uint32_t out = distance(una, nxt);
    if (window_end_ > una && !limited && (limited_ || out <= most_)) return;
    limited_ = limited;
    most_ = out;
    window_end_ = nxt;
  }
  // Whether an ACK may open the window. In slow start it may while the window is less than twice
  // what was in flight at the most.
  [[nodiscard]] bool limits(std::uint32_t cwnd, bool slow_start) const {
    return limited_ || (slow_start && cwnd / 2 < most_);
  }
  void open(Seq una) { window_end_ = una; }

 private:
  Seq window_end_;
  std::uint32_t most_ = 0;
  bool limited_ = false;
};

// What a connection knows of its unacknowledged data; it exists only while there are some.
struct InFlight {
  explicit InFlight(Seq una) { use.open(una); }

  Scoreboard scoreboard;
  WindowUse use;
  // Duplicate ACKs in a row, and how many may count: each stands for a segment that has left the
  // network, so there are no more than segments were out (RFC 5681 §3.2).
  std::uint32_t duplicate_acks = 0, duplicate_limit = 0;
  std::uint32_t limited_transmit = 0;  // Octets sent for the first duplicates (RFC 3042).

  void count_duplicate(std::uint32_t mss) {
    if (duplicate_acks == 0) limit_duplicates(mss);
    duplicate_acks = std::min(duplicate_acks + 1, duplicate_limit);
  }
  void limit_duplicates(std::uint32_t mss) {
    duplicate_limit = (scoreboard.octets() + mss - 1) / mss;
  }
  void no_duplicates() { duplicate_acks = limited_transmit = 0; }
  [[nodiscard]] std::size_t true_size() const {
    return sizeof(*this) - sizeof(scoreboard) + scoreboard.true_size();
  }
};

}  // namespace estab::tcp
