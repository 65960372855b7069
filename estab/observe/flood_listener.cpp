// SPDX-License-Identifier: Apache-2.0
#include "estab/observe/flood_listener.hpp"

namespace estab::observe {
namespace {

using enum HandshakeStep;

bool refuses_syn(Reason reason) {
  return reason == Reason::accept_queue_full || reason == Reason::half_open_full ||
         reason == Reason::memory_limit || reason == Reason::syn_ack_limit;
}

std::optional<HandshakeStep> dropped_step(const Event& event) {
  if (event.before == State::listen && refuses_syn(event.reason)) return syn;
  // An ACK that proves its peer, and finds no room.
  if (event.before == State::syn_received &&
      (event.reason == Reason::accept_queue_full || event.reason == Reason::memory_limit))
    return completed;
  if (event.reason == Reason::listen_rst) return client_reset;
  return std::nullopt;
}

std::optional<HandshakeStep> transition_step(const Event& event) {
  if (event.before != State::syn_received) return std::nullopt;
  if (event.reason == Reason::handshake_done) return completed;
  if (event.reason == Reason::back_to_listen) return client_reset;
  return std::nullopt;
}

// Calls tell(HandshakeStep) for what the event says of a handshake.
template <class F> void for_each_step(const Event& event, F&& tell) {
  switch (event.kind) {
    case EventKind::sent:
      if (event.reason == Reason::send_syn_ack || event.reason == Reason::send_cookie)
        tell(syn), tell(syn_ack);
      else if (event.reason == Reason::retransmit_timeout && event.before == State::syn_received)
        tell(syn_ack);
      return;
    case EventKind::dropped:
      if (const auto step = dropped_step(event)) tell(*step);
      return;
    case EventKind::transition:
      if (const auto step = transition_step(event)) tell(*step);
      return;
    case EventKind::first_text: return tell(client_data);
    case EventKind::received:   return;
  }
}

// Calls tell(Endpoint, HandshakeGauges) for each listener, and for all together.
template <class F>
void for_each_gauge(const Snapshot& snapshot, Milliseconds half_open_timeout, F&& tell) {
  HandshakeGauges all{.at = snapshot.at, .half_open_timeout = half_open_timeout};
  const auto add = [](std::optional<std::uint32_t>& sum, std::uint32_t more) {
    sum = sum.value_or(0) + more;
  };
  for (const auto& listener : snapshot.listeners) {
    tell(listener.local, HandshakeGauges{.at = snapshot.at,
                                         .half_open = listener.half_open,
                                         .half_open_limit = listener.half_open_limit,
                                         .accept_queue = listener.accept_queue,
                                         .accept_limit = listener.accept_limit,
                                         .half_open_timeout = half_open_timeout,
                                         .accepted = listener.accepted});
    add(all.half_open, listener.half_open);
    add(all.half_open_limit, listener.half_open_limit);
    add(all.accept_queue, listener.accept_queue);
    add(all.accept_limit, listener.accept_limit);
    all.accepted = all.accepted.value_or(0) + listener.accepted;
  }
  tell(Endpoint{}, all);
}

}  // namespace

void observe(FloodWatch& watch, const Event& event) {
  for_each_step(event, [&](HandshakeStep step) { watch.observe({event.at, step, event.flow}); });
}
void observe(HandshakeBoard& board, const Event& event) {
  for_each_step(event, [&](HandshakeStep step) { board.observe({event.at, step, event.flow}); });
}

void observe(FloodWatch& watch, const Snapshot& snapshot, Milliseconds half_open_timeout) {
  for_each_gauge(snapshot, half_open_timeout,
                 [&](const Endpoint& listener, const HandshakeGauges& gauges) {
                   watch.observe(listener, gauges);
                 });
}
void observe(HandshakeBoard& board, const Snapshot& snapshot, Milliseconds half_open_timeout) {
  for_each_gauge(snapshot, half_open_timeout,
                 [&](const Endpoint& listener, const HandshakeGauges& gauges) {
                   board.observe(listener, gauges);
                 });
  for (const auto& listener : snapshot.listeners)
    board.set_mode(listener.local, name(listener.mode));
}

}  // namespace estab::observe
