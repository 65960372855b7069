// SPDX-License-Identifier: Apache-2.0
// RFC 9293 §3.10.8, and what else time does: retransmission, probes, keep-alive, the ends.
#include "estab/tcp/connection.hpp"
#include "estab/tcp/isn.hpp"
#include "estab/tcp/notice_bits.hpp"

namespace estab::tcp {
using enum State;

void Connection::timeout(Env& env) {
  if (ack_at_ <= env.now) {
    ack_at_ = never;
    owe_ack_now(env, Reason::send_delayed_ack);
    ack_policy_.timed_out(ack_limits(env));
  }
  if (send_at_ <= env.now) {
    const SendTimer due = send_timer_;
    disarm_send_timer();
    send_timeout(env, due);
  }
  if (idle_at_ <= env.now) {
    idle_at_ = never;
    idle_timeout(env);
  }
  settle(env);
  schedule(env);
}

void Connection::send_timeout(Env& env, SendTimer due) {
  switch (due) {
    case SendTimer::none:         return;
    case SendTimer::syn:          return syn_timeout(env);
    case SendTimer::retransmit:   return retransmission_timeout(env);
    case SendTimer::persist:      return persist_timeout(env);
    case SendTimer::override_sws:
    case SendTimer::more:         override_sws_ = true; return owe(env);
    case SendTimer::retry:
      if (want_writable_) note(env, notice::writable);
      want_writable_ = false;
      return owe(env);
  }
  std::unreachable();
}

// R1 is passed: the program and the layer below are told, once (MUST-20, SHLD-9).
void Connection::tell_r1(Env& env) {
  if (retransmissions_ != env.config.r1_retransmissions) return;
  note(env, notice::soft_error);
  env.below.negative_advice(flow_.remote.address);
}

// MUST-22, MUST-23. Linux's schedule: a few at one second each, then doubling (behaviour.md).
void Connection::syn_timeout(Env& env) {
  const Config& config = env.config;
  const Duration limit =
      options_.user_timeout > 0ms ? Duration{options_.user_timeout} : config.syn_timeout;
  if (env.now - opened_at_ >= limit)
    return end(env, Error::timed_out, Reason::retransmissions_exhausted);
  ++retransmissions_;
  syn_retransmitted_ = true;
  syn_owed_ = true;
  if (flight_) flight_->scoreboard.mark_all_lost();  // A FIN that followed the SYN-ACK (§3.10.4).
  const int doublings = std::max(0, retransmissions_ - config.syn_linear_retransmissions);
  const Duration wait =
      std::min(config.initial_rto * (1 << std::min(doublings, 16)), 128 * config.initial_rto);
  arm(SendTimer::syn, std::min(env.now + wait, opened_at_ + limit));
  tell_r1(env);
  owe(env);
}

// R1, R2 (MUST-20, SHLD-9 to 11), orphans, and the user timeout. True: the connection is gone.
bool Connection::given_up(Env& env, bool persisting) {
  if (stalled_since_ == never) stalled_since_ = env.now;
  const Duration stalled = env.now - stalled_since_;
  // MUST-37: a peer that answers our probes is there. The user timeout counts all the same (Linux).
  const bool answered = persisting && last_received_at_ > stalled_since_;
  const Duration silent = answered ? env.now - last_received_at_ : stalled;
  tell_r1(env);
  const bool user_limit = options_.user_timeout > 0ms && stalled >= options_.user_timeout;
  const bool spent =
      silent >= env.config.retransmission_limit ||
      (orphan_ && !answered && retransmissions_ >= env.config.orphan_retransmissions);
  if (!user_limit && !spent) return false;
  const Reason why = user_limit ? Reason::user_timeout : Reason::retransmissions_exhausted;
  reset_peer(env, why);
  end(env, Error::timed_out, why);
  return true;
}

// RFC 6298 §5.5; the user timeout may come first (§3.10.8).
void Connection::wait_twice_as_long(Env& env, SendTimer purpose) {
  rtt_.back_off();
  Instant at = env.now + rto(env);
  if (options_.user_timeout > 0ms)
    at = std::min(at, stalled_since_ + Duration{options_.user_timeout});
  arm(purpose, at);
}

// RFC 6298 §5.4 to 5.6, RFC 5681 §3.1.
void Connection::retransmission_timeout(Env& env) {
  if (given_up(env, snd_.wnd == 0)) return;
  const bool first = retransmissions_ == 0;
  if (retransmissions_ < 255) ++retransmissions_;
  congestion_.on_timeout({.acked = 0,
                          .flight = distance(snd_.una, snd_.nxt),
                          .mss = mss_,
                          .srtt = rtt_.srtt(),
                          .now = env.now},
                         first);
  flight().scoreboard.mark_all_lost();
  flight().no_duplicates();
  recovery_ = Recovery::timeout;
  recover_ = snd_.nxt;
  retransmit_reason_ = Reason::retransmit_timeout;
  wait_twice_as_long(env, SendTimer::retransmit);
  owe(env);
}

// §3.8.6.1: the window is shut (MUST-35 to 38).
void Connection::persist_timeout(Env& env) {
  if (given_up(env, true)) return;
  if (retransmissions_ < 255) ++retransmissions_;
  probe_owed_ = true;
  wait_twice_as_long(env, SendTimer::persist);
  owe(env);
}

// An orphan has nobody who would give it up: its time is up without progress, be it that the peer
// answers each probe of its shut window (Linux ends it after 341 s; RFC 9293 §3.8.6.1).
void Connection::watch_orphan(Env& env) {
  if (!orphan_) return;
  if (is(fin_wait_2)) idle_at_ = env.now + env.config.fin_wait_2;
  if (is(fin_wait_1 | closing | last_ack)) {
    progress_.begin(timestamp_at(env.now));
    idle_at_ = env.now + env.config.orphan_timeout;
  }
  schedule(env);
}

void Connection::idle_timeout(Env& env) {
  if (state_ == time_wait) return end(env, Error::none, Reason::time_wait_over);
  if (state_ == fin_wait_2 && orphan_)
    return end(env, Error::timed_out, Reason::fin_wait_2_timeout);
  if (orphan_ && is(fin_wait_1 | closing | last_ack)) {
    const Milliseconds stalled{progress_.stalled(timestamp_at(env.now))};
    if (stalled < env.config.orphan_timeout)
      return void(idle_at_ = env.now + (env.config.orphan_timeout - stalled));
    reset_peer(env, Reason::orphan_timeout);
    return end(env, Error::timed_out, Reason::orphan_timeout);
  }
  if (!options_.keep_alive || !is(established | close_wait | fin_wait_1 | fin_wait_2)) return;
  // MUST-26: only when nothing came for long and nothing is outstanding.
  const Instant due = last_received_at_ + options_.keep_alive_idle;
  if (keep_alive_sent_ == 0 && env.now < due) return void(idle_at_ = due);
  if (something_unacked() || something_unsent())
    return void(idle_at_ = env.now + options_.keep_alive_idle);
  if (keep_alive_sent_ >= options_.keep_alive_probes) {  // MUST-29: never for one.
    reset_peer(env, Reason::keep_alive_failed);
    return end(env, Error::timed_out, Reason::keep_alive_failed);
  }
  ++keep_alive_sent_;
  keep_alive_owed_ = true;
  idle_at_ = env.now + options_.keep_alive_interval;
  owe(env);
}

}  // namespace estab::tcp
