// SPDX-License-Identifier: Apache-2.0
// The first source of the flood detector and of the board: a stack's own listeners, by its event
// stream (which must be enabled; no octets of packets are needed) and its snapshots.
#pragma once
#include "estab/event/event.hpp"
#include "estab/event/snapshot.hpp"
#include "estab/observe/flood_watch.hpp"
#include "estab/observe/handshake_board.hpp"

namespace estab::observe {

// Tells the watch what the event says of a handshake, if anything. Events come in their order.
void observe(FloodWatch& watch, const Event& event);
void observe(HandshakeBoard& board, const Event& event);
// Tells it how full the listeners are; `half_open_timeout`: how long an unanswered SYN-ACK is kept.
void observe(FloodWatch& watch, const Snapshot& snapshot, Milliseconds half_open_timeout);
// And the board, in which mode they are.
void observe(HandshakeBoard& board, const Snapshot& snapshot, Milliseconds half_open_timeout);

}  // namespace estab::observe
