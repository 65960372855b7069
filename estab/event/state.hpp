// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string_view>
#include <utility>

namespace estab {

// RFC 9293 §3.3.2, Figure 5.
enum class State : std::uint8_t {
  closed,
  listen,
  syn_sent,
  syn_received,
  established,
  fin_wait_1,
  fin_wait_2,
  close_wait,
  closing,
  last_ack,
  time_wait,
};
inline constexpr int state_count = 11;

// "In any of these states": `established | fin_wait_1`, as the RFC lists them.
class StateSet {
 public:
  constexpr StateSet(State s) : bits_(std::uint16_t(1u << std::to_underlying(s))) {}
  constexpr StateSet operator|(StateSet o) const {
    return StateSet(std::uint16_t(bits_ | o.bits_));
  }
  [[nodiscard]] constexpr bool contains(State s) const {
    return bits_ >> std::to_underlying(s) & 1;
  }

 private:
  constexpr explicit StateSet(std::uint16_t bits) : bits_(bits) {}
  std::uint16_t bits_;
};
constexpr StateSet operator|(State a, State b) { return StateSet(a) | StateSet(b); }

// The arrows of Figure 5, by origin; every change of state is asserted against them.
constexpr StateSet successors(State from) {
  using enum State;
  constexpr StateSet none = closed;  // Every state may be aborted to CLOSED.
  switch (from) {
    case closed:       return none | listen | syn_sent;
    case listen:       return none | syn_sent | syn_received;
    case syn_sent:     return none | syn_received | established;
    case syn_received: return none | listen | established | fin_wait_1;
    case established:  return none | fin_wait_1 | close_wait;
    case fin_wait_1:   return none | fin_wait_2 | closing;
    case fin_wait_2:   return none | time_wait;
    case close_wait:   return none | last_ack;
    case closing:      return none | time_wait;
    case last_ack:     return none;
    case time_wait:    return none;
  }
  std::unreachable();
}

// As the RFC writes it: "SYN-RECEIVED".
[[nodiscard]] std::string_view name(State s);

}  // namespace estab
