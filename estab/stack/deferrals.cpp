// SPDX-License-Identifier: Apache-2.0
// SYNs that wait for the program's word (RFC 9293 §3.9.1.1): no SYN-ACK was sent, so no cookie
// brings one of them back.
#include "estab/stack/impl.hpp"

namespace estab {
using tcp::HalfOpen;

// SYNs that wait for the program take at most their listener's share of the records, and half of
// the stack's: none of them can make room. The names of those that are gone count until the program
// has passed over them, or has taken all that came before.
bool Stack::Impl::may_defer(Listener& listener, const HalfOpen& asked) {
  const std::uint32_t limit =
      std::min(listener.share(asked.known), std::max(config.tcp.half_open_limit / 2, 1u));
  while (!listener.deferred.empty()) {
    const HalfOpenId first = listener.deferred.front();
    if (half_open.find(first.index, first.generation) != SynCache::none || !work.take()) break;
    listener.deferred.pop_front();
  }
  settle(listener);
  return listener.deferrals < limit && deferrals_ < std::max(config.tcp.half_open_limit / 2, 1u) &&
         listener.deferred.size() < 2 * std::size_t{limit};
}

void Stack::Impl::end_deferral(HalfOpen& record) {
  if (!record.deferred) return;
  record.deferred = false;
  --listeners[record.listener].deferrals;
  --deferrals_;
}

// Of those that the program was given; it keeps at most as many words of them as it may hold
// records.
void Stack::Impl::tell_deferral_gone(SynCache::Index at, Reason why) {
  const HalfOpen& record = half_open[at];
  Listener& listener = listeners[record.listener];
  if (!record.deferred || !record.handed_out || listener.closed) return;
  if (listener.deferrals_gone.size() >= std::max(listener.rules.half_open_limit, 1u))
    listener.deferrals_gone.pop_front();
  listener.deferrals_gone.push_back({{at, half_open.generation(at)}, record.flow, why});
  settle(listener);
  note_listener(record.listener, notice::deferral_gone);
}

std::expected<void, Error> Stack::Impl::decide(HalfOpenId id, Verdict verdict) {
  if (half_open.find(id.index, id.generation) == SynCache::none || !half_open[id.index].deferred)
    return std::unexpected(Error::not_connected);
  tcp::HalfOpen& record = half_open[id.index];
  const tcp::Options& options = listeners[record.listener].options;
  if (listeners[record.listener].closed) return std::unexpected(Error::not_connected);
  if (verdict == Verdict::defer) return std::unexpected(Error::invalid_argument);
  end_deferral(record);
  switch (verdict) {
    case Verdict::accept:
      renew_number(record);
      record.retransmissions = 0;
      wait_for_answer(id.index);
      owe_syn_ack(id.index);
      break;
    case Verdict::reject:
      if (may_answer(record.flow, tcp::Answer::reset))
        reply(record.flow, {.ack = record.irs + 1, .flags = {.rst = true, .ack = true}},
              State::syn_received, Reason::listen_rejected, options);
      remove_half_open(id.index, State::listen, Reason::listen_rejected);
      break;
    case Verdict::drop:  remove_half_open(id.index, State::listen, Reason::listen_dropped); break;
    case Verdict::defer: break;
  }
  return {};
}

}  // namespace estab
