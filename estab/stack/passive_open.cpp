// SPDX-License-Identifier: Apache-2.0
// What becomes of a SYN (RFC 9293 §3.10.7.2 and SYN-RECEIVED; RFC 4987): a record that waits for
// the ACK, or, when there are too many, nothing but a cookie that the ACK brings back.
#include "estab/stack/impl.hpp"

namespace estab {
using tcp::HalfOpen;
using tcp::Segment;

namespace {

// A record that is younger is not given up for another: its ACK may be on the way.
constexpr Duration fair_age = 1s;

// What no cookie brings back stays: a number that is none, or one that no SYN-ACK has told yet.
bool may_go(const HalfOpen& record, bool for_known) {
  return !record.irreplaceable && !record.deferred && (for_known || !record.known);
}

}  // namespace

// A SYN that the listener's rule lets in.
struct Stack::Impl::Asked {
  const Segment& syn;
  HalfOpen record;  // What it would leave.
  std::uint64_t hash, network;
  bool defer;
};

// §3.10.7.1, CLOSED, unless somebody listens.
Stack::Impl::Fate Stack::Impl::arrives_at_no_connection(Segment& seg, std::uint64_t hash,
                                                        std::optional<Seq> above) {
  if (const auto listener = find_listener(seg.flow.local))
    return arrives_at_listener(*listener, seg, hash, above);
  if (seg.flags.rst) return {Reason::closed_rst};
  reset_for(seg, State::closed, Reason::closed_port, config.tcp.defaults);
  return {Reason::closed_port};
}

// §3.10.7.2, LISTEN.
Stack::Impl::Fate Stack::Impl::arrives_at_listener(std::uint32_t index, Segment& seg,
                                                   std::uint64_t hash, std::optional<Seq> above) {
  Listener& listener = listeners[index];
  Fate fate{Reason::none, State::listen, State::listen};
  // First, check for a RST.
  if (seg.flags.rst) return fate.reason = Reason::listen_rst, fate;
  // Second, check for an ACK; it may be a cookie's.
  if (seg.flags.ack) return cookie_arrives(index, listener, seg, hash);
  // Third, check for a SYN. With FIN as well it is dropped in silence (Linux).
  if (!seg.flags.syn || seg.flags.fin) return fate.reason = Reason::listen_flags, fate;
  const Verdict verdict = judge(listener, seg.flow.remote.address);
  switch (verdict) {
    case Verdict::reject:
      reset_for(seg, State::listen, Reason::listen_rejected, listener.options);
      return fate.reason = Reason::listen_rejected, fate;
    case Verdict::drop:   return fate.reason = Reason::listen_dropped, fate;
    case Verdict::accept:
    case Verdict::defer:  break;
  }
  Asked asked{.syn = seg,
              .record = {},
              .hash = hash,
              .network = hash_source_prefix(secrets.table, seg.flow.remote.address),
              .defer = verdict == Verdict::defer};
  HalfOpen& record = asked.record;
  tcp::take_syn(record, config.tcp, seg);
  record.listener = index;
  record.deferred = asked.defer;
  record.known =
      config.tcp.syn_cookies == tcp::CookieUse::never || known_->contains_hash(asked.network);
  renew_number(record);
  // RFC 6191: past the old ones, also if the number is drawn anew when the program has decided.
  if (above && (record.iss <= *above || record.deferred))
    record.iss = *above + 65537, record.irreplaceable = true;
  if (record.mss < tcp::cookie_mss(seg.flow.remote.address)[0]) record.irreplaceable = true;
  return syn_arrives(listener, asked);
}

// A cookie of this moment; the record's clock begins with it. A number that is no cookie stays.
void Stack::Impl::renew_number(HalfOpen& record) {
  record.opened = env.now;
  if (record.irreplaceable) return;
  const auto cookie = cookies_.make(record.flow, record.irs, tcp::cookie_options(record), env.now);
  record.iss = cookie.iss;
  record.ts_value = cookie.ts_value;
}

Stack::Impl::Fate Stack::Impl::syn_arrives(Listener& listener, Asked& asked) {
  Fate fate{Reason::none, State::listen, State::listen};
  const auto refused = [&](Reason why) { return fate.reason = why, fate; };
  ++listener.syns;
  if (config.tcp.syn_cookies == tcp::CookieUse::under_pressure)
    listener.defence.syn(config.tcp, env.now), await_calm(listener);
  if (listener.accept_queue_full())
    return ++listener.accept_overflows, refused(Reason::accept_queue_full);
  if (!make_room_for(SynCache::bytes_each)) return refused(Reason::memory_limit);
  if (!asked.defer && !unanswered_.take(asked.network, env.now))
    return ++listener.syn_acks_limited, refused(Reason::syn_ack_limit);
  if (answers_by_cookie(listener, asked)) return refused(answer_by_cookie(listener, asked.record));
  if (asked.defer && !may_defer(listener, asked.record))
    return ++listener.half_open_overflows, refused(Reason::half_open_full);

  const SynCache::Index place = make_room(listener, asked.record, asked.hash);
  if (place == SynCache::none) {
    ++listener.half_open_overflows;
    if (asked.defer || asked.record.irreplaceable ||
        config.tcp.syn_cookies == tcp::CookieUse::never)
      return refused(Reason::half_open_full);
    return refused(answer_by_cookie(listener, asked.record));
  }
  keep_half_open(listener, asked.record, place, asked.hash);
  log.transition(env.now, asked.syn.flow, State::listen, State::syn_received, Reason::syn_arrived);
  if (asked.defer) {
    ++listener.deferrals, ++deferrals_;
    listener.deferred.push_back({place, half_open.generation(place)});
    settle(listener);
    note_listener(asked.record.listener, notice::deferred);
    log.counters().count(Reason::listen_deferred);
  } else {
    owe_syn_ack(place);
  }
  fate.after = State::syn_received;
  return fate;
}

Verdict Stack::Impl::judge(const Listener& listener, const Address& source) const {
  for (const auto& rule : listener.rules.rules)
    if (rule.source.contains(source)) return rule.verdict;
  return listener.rules.otherwise;
}

// --- By cookie (RFC 4987 §3.6) -------------------------------------------------------------------

// Networks that are known keep their records while others have none.
bool Stack::Impl::answers_by_cookie(const Listener& listener, const Asked& asked) const {
  if (asked.defer || asked.record.irreplaceable) return false;
  switch (config.tcp.syn_cookies) {
    case tcp::CookieUse::never:          return false;
    case tcp::CookieUse::always:         return true;
    case tcp::CookieUse::under_pressure: break;
  }
  return listener.defence.mode() == SynMode::stateless && !asked.record.known;
}

// From now on an ACK may bring a cookie back, for as long as one is good.
void Stack::Impl::await_cookies(Listener& listener) {
  listener.cookies_until = env.now + 2 * tcp::SynCookies::epoch;
}

// Without timestamps the cookie has no room for scale and SACK.
Reason Stack::Impl::answer_by_cookie(Listener& listener, HalfOpen& asked) {
  if (!asked.has_timestamps) {
    asked.has_scale = asked.has_sack = false;
    asked.scale = 0;
  }
  ++listener.cookies_sent;
  await_cookies(listener);
  tcp::send_syn_ack(env, asked, listener.options, Reason::send_cookie);
  return Reason::none;
}

// An ACK for which there is no record. While none of our cookies can be on the way it is answered
// as in LISTEN; then nothing that is wrong is: text may have come before the lost text in front of
// it, and a reset would kill an honest peer.
Stack::Impl::Fate Stack::Impl::cookie_arrives(std::uint32_t index, Listener& listener, Segment& seg,
                                              std::uint64_t hash) {
  Fate fate{Reason::listen_ack, State::listen, State::listen};
  const bool ours_are_out = env.now < listener.cookies_until;
  const auto wrong = [&](Reason why) {
    fate.reason = why;
    if (!ours_are_out) reset_for(seg, State::listen, Reason::listen_ack, listener.options);
    return fate;
  };
  if (seg.flags.syn || config.tcp.syn_cookies == tcp::CookieUse::never ||
      !(ours_are_out || config.tcp.shared_cookies)) {
    reset_for(seg, State::listen, Reason::listen_ack, listener.options);
    return fate;
  }
  const bool stamped = config.tcp.timestamps && seg.options.timestamps;
  if (!stamped && !listener.unstamped_checks.take(env.now))
    return ++listener.cookies_limited, fate.reason = Reason::cookie_limit, fate;
  const auto echo = stamped ? std::optional{seg.options.timestamps->echo} : std::nullopt;
  const auto agreed = cookies_.check(seg.flow, seg.seq - 1, seg.ack - 1, echo, env.now);
  if (!agreed) return ++listener.cookies_bad, wrong(Reason::cookie_bad);

  ++listener.cookies_valid;
  HalfOpen record;
  tcp::take_cookie(record, *agreed, seg);
  record.listener = index;
  record.opened = env.now;
  log.transition(env.now, seg.flow, State::listen, State::syn_received, Reason::cookie_returned);
  fate.before = fate.after = State::syn_received;
  fate.reason = establish(record, listener, seg, fate.after);
  if (fate.after != State::syn_received) return fate;
  // Not now. A record has the SYN-ACK sent again, and so the ACK.
  const SynCache::Index place = make_room(listener, record, hash);
  if (place != SynCache::none) keep_half_open(listener, record, place, hash);
  else
    log.transition(env.now, seg.flow, State::syn_received, State::closed, Reason::half_open_full);
  return fate;
}

// --- By record (RFC 4987 §3.4) -------------------------------------------------------------------

// A place for the record, for which the oldest may have to go; none: all are too young, or no
// cookie would know their peers again. A bucket that is full while the queue is not says nothing.
SynCache::Index Stack::Impl::make_room(Listener& listener, const HalfOpen& asked,
                                       std::uint64_t hash) {
  const auto of_listener = [&](const HalfOpen& r) {
    return r.listener == asked.listener && may_go(r, asked.known);
  };
  const auto of_anybody = [&](const HalfOpen& r) { return may_go(r, asked.known); };
  const bool room =
      (listener.half_open < listener.share(asked.known) || evict(half_open.oldest(of_listener))) &&
      (half_open.size() < config.tcp.half_open_limit || evict(half_open.oldest(of_anybody)));
  if (!room) {
    if (config.tcp.syn_cookies == tcp::CookieUse::under_pressure)
      listener.defence.crowded_out(env.now), await_calm(listener);
    return SynCache::none;
  }
  if (const auto place = half_open.free_place(hash); place != SynCache::none) return place;
  if (!evict(half_open.oldest_in_bucket(hash, of_anybody))) return SynCache::none;
  return half_open.free_place(hash);
}

bool Stack::Impl::evict(SynCache::Index at) {
  if (at == SynCache::none || config.tcp.syn_cookies == tcp::CookieUse::never ||
      env.now - half_open[at].opened < fair_age)
    return false;
  Listener& listener = listeners[half_open[at].listener];
  ++listener.evicted;
  await_cookies(listener);
  remove_half_open(at, State::listen, Reason::half_open_evicted);
  return true;
}

SynCache::Index Stack::Impl::keep_half_open(Listener& listener, const HalfOpen& record,
                                            SynCache::Index place, std::uint64_t hash) {
  half_open.emplace(place, hash, record);
  memory.charge(SynCache::bytes_each);
  wait_for_answer(place);
  count_half_open(listener, 1);
  return place;
}

void Stack::Impl::wait_for_answer(SynCache::Index at) {
  half_open.wait(at, env.now + tcp::syn_ack_interval(config.tcp, half_open[at].retransmissions));
}

void Stack::Impl::count_half_open(Listener& listener, int change) {
  listener.half_open += std::uint32_t(change);
  if (config.tcp.syn_cookies != tcp::CookieUse::under_pressure) return;
  listener.defence.occupied(listener.half_open, listener.rules.half_open_limit, env.now);
  await_calm(listener);
}

void Stack::Impl::await_calm(Listener& listener) {
  if (listener.defence.mode() != SynMode::stateless) return;
  if (!std::exchange(listener.calming, true)) calming_.push_back(listener.index);
  defence_due_ = std::min(defence_due_, listener.defence.leaves_at());
  calmed_due_ = std::min(calmed_due_, listener.defence.leaves_at());
}

// One round over the listeners in STATELESS, in as many calls as it takes.
void Stack::Impl::update_defences() {
  if (calming_left_ == 0) calming_left_ = calming_.size(), calmed_due_ = never;
  while (calming_left_ > 0 && work.take()) {
    --calming_left_;
    Listener* listener = listeners.find(calming_.pop_front());
    if (listener == nullptr) continue;
    listener->defence.update(env.now);
    listener->calming = false;
    await_calm(*listener);
  }
  defence_due_ = calming_left_ > 0 ? env.now : calmed_due_;
}

void Stack::Impl::owe_syn_ack(SynCache::Index at) {
  if (half_open[at].owed || owed_syn_acks_.size() >= owed_limit) return;
  half_open[at].owed = true;
  owed_syn_acks_.push_back({at, half_open.generation(at)});
}

void Stack::Impl::half_open_timeout(SynCache::Index at) {
  HalfOpen& record = half_open[at];
  Listener& listener = listeners[record.listener];
  const bool hard_pressed =
      listener.defence.mode() != SynMode::normal && !record.known && !record.deferred;
  const unsigned most = hard_pressed ? std::min<unsigned>(1, config.tcp.syn_ack_retransmissions)
                                     : config.tcp.syn_ack_retransmissions;
  if (record.retransmissions >= most) {
    if (hard_pressed) await_cookies(listener);
    return remove_half_open(at, State::closed, Reason::half_open_expired);
  }
  ++record.retransmissions;
  wait_for_answer(at);
  if (!record.deferred) owe_syn_ack(at);
}

// §3.10.7.4, SYN-RECEIVED.
Stack::Impl::Fate Stack::Impl::arrives_at_half_open(std::uint32_t index, Segment& seg) {
  HalfOpen& record = half_open[index];
  Listener& listener = listeners[record.listener];
  if (listener.closed) {  // Its turn to be let go has not come yet.
    remove_half_open(index, State::closed, Reason::listener_closed);
    return arrives_at_no_connection(seg, hash_of(seg.flow), std::nullopt);
  }
  Fate fate{Reason::none, State::syn_received, State::syn_received};
  const auto outcome = tcp::segment_arrives(config.tcp, record, seg,
                                            tcp::offer_to(env, record, listener.options).window);
  fate.reason = outcome.reason;
  switch (outcome.verdict) {
    case tcp::HalfOpenVerdict::drop: break;
    case tcp::HalfOpenVerdict::answer:
      // The peer's clock went on, and what we send shows it (RFC 7323 §4.3).
      if (const auto& clock = seg.options.timestamps; clock && record.has_timestamps)
        if (std::int32_t(clock->value - record.ts_recent) > 0) record.ts_recent = clock->value;
      if (!record.deferred) owe_syn_ack(index);
      break;
    case tcp::HalfOpenVerdict::acknowledge:
      // Before the program has decided, nothing was said that an ACK could stand for.
      if (!record.deferred && may_answer(seg.flow, tcp::Answer::half_open_ack))
        reply(seg.flow, tcp::half_open_ack(env, record, listener.options), State::syn_received,
              Reason::send_challenge_ack, listener.options);
      break;
    case tcp::HalfOpenVerdict::reset:
      reset_for(seg, State::syn_received, outcome.reason, listener.options);
      break;
    case tcp::HalfOpenVerdict::back_to_listen:
      remove_half_open(index, State::listen, outcome.reason);
      fate.reason = Reason::none, fate.after = State::listen;
      break;
    case tcp::HalfOpenVerdict::established: {
      if (record.deferred) return fate.reason = Reason::listen_deferred, fate;
      const HalfOpen done = record;
      fate.reason = establish(done, listener, seg, fate.after);
      break;
    }
  }
  return fate;
}

// The handshake is done: a connection stands in the accept queue, and the segment is its first.
// If that cannot be, `after` stays, and so does the record, if there is one: the peer's next
// segment tries again.
Reason Stack::Impl::establish(const HalfOpen& record, Listener& listener, Segment& seg,
                              State& after) {
  listener.defence.completed(env.now);
  unanswered_.give_back(hash_source_prefix(secrets.table, seg.flow.remote.address), env.now);
  if (listener.accept_queue_full()) return ++listener.accept_overflows, Reason::accept_queue_full;
  if (!make_room_for(Slab<tcp::Connection>::bytes_each)) return Reason::memory_limit;
  const auto [name, connection] = connections.emplace(env, record, listener.options);
  connection->set_index(name.index);
  log.transition(env.now, seg.flow, State::syn_received, State::established,
                 Reason::handshake_done);
  if (const auto at = half_open.find(hash_of(seg.flow), seg.flow); at != SynCache::none)
    forget_half_open(at);
  put(seg.flow, Kind::connection, name.index);
  listener.accept_queue.push_back(name.index);
  settle(listener);
  ++listener.accepted;
  note_listener(record.listener, notice::acceptable);
  if (seg.text > 0) prove(*connection);
  const Reason reason = connection->segment_arrives(env, seg);
  after = connection->state();
  return reason;
}

// Text shows that the peer is there, and wants something.
void Stack::Impl::prove(tcp::Connection& connection) {
  connection.unproven = false;
  log.note({.at = env.now,
            .kind = EventKind::first_text,
            .before = connection.state(),
            .after = connection.state(),
            .flow = connection.flow()});
  known_->add_hash(hash_source_prefix(secrets.table, connection.flow().remote.address), env.now);
}

void Stack::Impl::forget_half_open(SynCache::Index at) {
  Listener& listener = listeners[half_open[at].listener];
  end_deferral(half_open[at]);
  half_open.erase(at);
  memory.release(SynCache::bytes_each);
  count_half_open(listener, -1);
}

void Stack::Impl::remove_half_open(SynCache::Index at, State to, Reason why) {
  log.transition(env.now, half_open[at].flow, State::syn_received, to, why);
  tell_deferral_gone(at, why);
  forget_half_open(at);
}

}  // namespace estab
