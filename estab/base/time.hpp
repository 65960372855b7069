// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <cstdint>

namespace estab {

using Duration = std::chrono::nanoseconds;

// The clock of the stack has no now(): time comes in with each call, 64-bit nanoseconds.
struct StackClock {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  static constexpr bool is_steady = true;
  using time_point = std::chrono::time_point<StackClock, duration>;
};
using Instant = StackClock::time_point;

// "No deadline": later than every Instant that a caller may pass in.
inline constexpr Instant never = Instant::max();

// A span of time in four bytes, for settings and per-connection state: up to 49 days.
using Milliseconds = std::chrono::duration<std::uint32_t, std::milli>;

using namespace std::chrono_literals;

}  // namespace estab
