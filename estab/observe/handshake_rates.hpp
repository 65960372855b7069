// SPDX-License-Identifier: Apache-2.0
// Handshakes a second, over the last two minutes.
#pragma once
#include <array>
#include <cstdint>
#include <vector>

namespace estab::observe {

// Handshakes of one second of the clock, by when each step happened.
struct HandshakeSecond {
  std::uint32_t syns = 0;      // First SYNs, as far as the board remembers, and the unseen ones.
  std::uint32_t answered = 0;  // SYN-ACKs, for the first time or again.
  std::uint32_t completed = 0;
  friend bool operator==(const HandshakeSecond&, const HandshakeSecond&) = default;
};

class HandshakeRates {
 public:
  static constexpr std::size_t seconds_kept = 120;

  // The second under way. A SYN that was not remembered may be a repetition: it counts as one in
  // the share of those remembered that are.
  struct Current {
    std::uint32_t first_syns = 0, syns_again = 0, other_syns = 0;
    std::uint32_t answered = 0, completed = 0;
    // Of a source that counts completions: those that had a socket, and the sockets that left.
    std::uint32_t counted = 0, left = 0;
  };
  [[nodiscard]] Current& current() { return current_; }

  // The second ends, and so many follow in which nothing happened.
  void end_second(std::int64_t silent_ones);
  // Whole ones, the oldest first.
  [[nodiscard]] std::vector<HandshakeSecond> seconds() const;
  // SYNs of them all.
  [[nodiscard]] std::uint64_t syns() const;

 private:
  void push(const HandshakeSecond& second);

  std::array<HandshakeSecond, seconds_kept> kept_{};
  std::size_t size_ = 0, next_ = 0;
  Current current_;
};

}  // namespace estab::observe
