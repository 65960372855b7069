// SPDX-License-Identifier: Apache-2.0
// The shortest ways to the states of Figure 5, for tests that hold in many of them.
#pragma once
#include <array>

#include "conversation.hpp"

namespace estab::script {

// Where both ends are: the next octet of ours, and the next of the peer's.
struct Place {
  std::uint32_t snd_nxt = 1, rcv_nxt = 1;
};

// Synchronized states that keep a connection (TIME-WAIT is a record of its own).
inline constexpr std::array connected_states{State::established, State::fin_wait_1,
                                             State::fin_wait_2,  State::close_wait,
                                             State::closing,     State::last_ack};

// A new conversation's way to the state: SYN-RECEIVED by a simultaneous open, the others from a
// passive open; nothing is owed afterwards.
Place bring_to(Conversation& c, State state);

// "F. {} ack {}" with sequence numbers filled in, so that scripts stay short.
[[nodiscard]] std::string segment(std::string_view flags, std::uint32_t seq, std::uint32_t ack);
[[nodiscard]] std::string segment(std::string_view flags, std::uint32_t seq);

}  // namespace estab::script
