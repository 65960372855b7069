// SPDX-License-Identifier: Apache-2.0
// The flood detector's first source: a stack's own listeners, by its event stream (which must be
// enabled; no octets of packets are needed) and its snapshots.
#pragma once
#include "estab/event/event.hpp"
#include "estab/event/snapshot.hpp"
#include "estab/observe/flood_watch.hpp"

namespace estab::observe {

// Tells the watch what the event says of a handshake, if anything. Events come in their order.
void observe(FloodWatch& watch, const Event& event);
// Tells it how full the listeners are; `half_open_timeout`: how long an unanswered SYN-ACK is kept.
void observe(FloodWatch& watch, const Snapshot& snapshot, Milliseconds half_open_timeout);

}  // namespace estab::observe
