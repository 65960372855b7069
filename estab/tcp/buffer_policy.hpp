// SPDX-License-Identifier: Apache-2.0
// How large a connection's buffers may be: pure functions of what the path carries and of how short
// the stack's memory is. All sizes are bytes of data.
#pragma once
#include <algorithm>
#include <cstdint>

namespace estab::tcp {

// How short the memory of a stack is.
enum class MemoryPressure : std::uint8_t {
  none,
  pressed,  // From 90 % of the budget on: buffers do not grow past their first size.
  scarce,   // From 95 % on: no more than each connection's reserve.
};

constexpr MemoryPressure memory_pressure(std::uint64_t used, std::uint64_t limit) {
  if (used >= limit - limit / 20) return MemoryPressure::scarce;
  return used >= limit - limit / 10 ? MemoryPressure::pressed : MemoryPressure::none;
}

struct SendBuffer {
  std::uint32_t cwnd;     // The congestion window.
  std::uint32_t offered;  // The peer's window, counted from SND.UNA.
  std::uint32_t first;    // What a connection may hold before the path has carried anything.
  std::uint32_t most;
  std::uint32_t reserve;  // What it may hold however short memory is.
  bool fixed;             // The program has set `most` as the size.
};

// What send() takes, sent or not, counted from SND.UNA. Twice the congestion window keeps the path
// full while the window doubles (as Linux). Beyond the peer's window no more than `first` may wait,
// so that a peer that does not read cannot make us hold a file for it.
constexpr std::uint32_t send_limit(const SendBuffer& b, MemoryPressure pressure) {
  if (pressure == MemoryPressure::scarce) return std::min(b.reserve, b.most);
  if (b.fixed) return b.most;
  const std::uint32_t first = std::min(b.first, b.most);
  if (pressure == MemoryPressure::pressed) return first;
  const auto path =
      std::min(2 * std::uint64_t{b.cwnd}, std::uint64_t{b.offered} + std::uint64_t{b.first});
  return std::uint32_t(std::clamp<std::uint64_t>(path, first, b.most));
}

// A program that waits for room hears of it when a third of the limit is free.
constexpr bool worth_writing(std::uint32_t queued, std::uint32_t limit) {
  return queued <= limit / 3 * 2;
}

// What the window offers at the most. Data at their true size may take four times their length.
constexpr std::uint32_t receive_limit(std::uint32_t limit, std::uint32_t reserve,
                                      MemoryPressure pressure) {
  switch (pressure) {
    case MemoryPressure::none:    return limit;
    case MemoryPressure::pressed: return std::min(limit, reserve);
    case MemoryPressure::scarce:  return std::min(limit, reserve / 4);
  }
  return limit;
}

// Dynamic right-sizing: in one round trip the program has read `copied` bytes; the peer may send
// twice as many in the next (slow start), so the buffer is at least that, and doubles.
constexpr std::uint32_t grown_receive_limit(std::uint32_t limit, std::uint32_t copied,
                                            std::uint32_t most) {
  const auto needed = 2 * std::uint64_t{copied};
  if (needed <= limit) return limit;
  return std::uint32_t(
      std::min<std::uint64_t>(std::max(needed, 2 * std::uint64_t{limit}), std::max(limit, most)));
}

// What received data may take beyond their length: headers of buffers, unused tails, tables.
constexpr std::size_t receive_overhead_limit(std::uint32_t limit) {
  return std::max<std::size_t>(limit / 4, 16 << 10);
}

}  // namespace estab::tcp
