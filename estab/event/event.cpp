// SPDX-License-Identifier: Apache-2.0
#include "estab/event/event.hpp"

#include "estab/event/snapshot.hpp"

#include <algorithm>
#include <cassert>

namespace estab {

std::string_view name(SynMode mode) {
  switch (mode) {
    case SynMode::normal:    return "NORMAL";
    case SynMode::pressure:  return "PRESSURE";
    case SynMode::stateless: return "STATELESS";
  }
  return "?";
}

std::string_view name(State s) {
  switch (s) {
    case State::closed:       return "CLOSED";
    case State::listen:       return "LISTEN";
    case State::syn_sent:     return "SYN-SENT";
    case State::syn_received: return "SYN-RECEIVED";
    case State::established:  return "ESTABLISHED";
    case State::fin_wait_1:   return "FIN-WAIT-1";
    case State::fin_wait_2:   return "FIN-WAIT-2";
    case State::close_wait:   return "CLOSE-WAIT";
    case State::closing:      return "CLOSING";
    case State::last_ack:     return "LAST-ACK";
    case State::time_wait:    return "TIME-WAIT";
  }
  std::unreachable();
}

void EventLog::keep(Event event, const Packet& packet) {
  event.offset = bytes_.size();
  event.length = std::uint32_t(packet.size());
  event.kept = std::min(event.length, keep_bytes_);
  bytes_.resize(event.offset + event.kept);
  packet.copy_to(MutableBytes{bytes_}.subspan(event.offset, event.kept));
  events_.push_back(event);
}

void EventLog::settle(std::size_t arrival, const Flow& flow, State before, State after,
                      Reason reason) {
  if (reason != Reason::none) counters_.count(reason);
  if (!enabled_ || arrival == 0) return;
  Event& event = events_[arrival - 1];
  event.kind = reason == Reason::none ? EventKind::received : EventKind::dropped;
  event.flow = flow, event.before = before, event.after = after, event.reason = reason;
}

void EventLog::transition(Instant at, const Flow& flow, State from, State to, Reason reason) {
  assert(from != to && successors(from).contains(to));
  note({.at = at,
        .kind = EventKind::transition,
        .reason = reason,
        .before = from,
        .after = to,
        .flow = flow});
}

}  // namespace estab
