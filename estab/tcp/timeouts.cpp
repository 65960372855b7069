// SPDX-License-Identifier: Apache-2.0
// RFC 9293 §3.10.8, and what else time does: retransmission, probes, keep-alive, the ends.
#include "estab/tcp/connection.hpp"
#include "estab/tcp/notice_bits.hpp"

namespace estab::tcp {
using enum State;

void Connection::timeout(Env& env) {
  if (ack_at_ <= env.now) {
    ack_at_ = never;
    owe_ack_now(env, Reason::send_delayed_ack);
    ack_policy_.timed_out(ack_limits(env));
  }
  if (retransmit_at_ <= env.now) {
    retransmit_at_ = never;
    if (!syn_acked_) syn_timeout(env);
    else if (snd_.wnd == 0 || !something_unacked()) persist_timeout(env);
    else retransmission_timeout(env);
  }
  if (idle_at_ <= env.now) {
    idle_at_ = never;
    idle_timeout(env);
  }
  schedule(env);
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
  if (flight_) flight_->mark_all_lost();  // A FIN that followed the SYN-ACK (§3.10.4).
  const int doublings = std::max(0, retransmissions_ - config.syn_linear_retransmissions);
  const Duration wait =
      std::min(config.initial_rto * (1 << std::min(doublings, 16)), 128 * config.initial_rto);
  retransmit_at_ = std::min(env.now + wait, opened_at_ + limit);
  tell_r1(env);
  owe(env);
}

// R1, R2 (MUST-20, SHLD-9 to 11), orphans, and the user timeout. True: the connection is gone.
bool Connection::given_up(Env& env, bool persisting) {
  if (stalled_since_ == never) stalled_since_ = env.now;
  const Duration stalled = env.now - stalled_since_;
  tell_r1(env);
  const bool user_limit = options_.user_timeout > 0ms && stalled >= options_.user_timeout;
  const bool spent =
      stalled >= env.config.retransmission_limit ||
      (orphan_ && !persisting && retransmissions_ >= env.config.orphan_retransmissions);
  if (!user_limit && !spent) return false;
  const Reason why = user_limit ? Reason::user_timeout : Reason::retransmissions_exhausted;
  reset_peer(env, why);
  end(env, Error::timed_out, why);
  return true;
}

// RFC 6298 §5.5; the user timeout may come first (§3.10.8).
void Connection::wait_twice_as_long(Env& env) {
  rtt_.back_off();
  retransmit_at_ = env.now + rto(env);
  if (options_.user_timeout > 0ms)
    retransmit_at_ = std::min(retransmit_at_, stalled_since_ + Duration{options_.user_timeout});
}

// RFC 6298 §5.4 to 5.6, RFC 5681 §3.1.
void Connection::retransmission_timeout(Env& env) {
  if (given_up(env, false)) return;
  const bool first = retransmissions_ == 0;
  if (retransmissions_ < 255) ++retransmissions_;
  congestion_.on_timeout({.acked = 0,
                          .flight = distance(snd_.una, snd_.nxt),
                          .mss = mss_,
                          .srtt = rtt_.srtt(),
                          .now = env.now},
                         first);
  flight().mark_all_lost();
  recovery_ = Recovery::timeout;
  recover_ = snd_.nxt;
  dup_acks_ = 0;
  retransmit_reason_ = Reason::retransmit_timeout;
  wait_twice_as_long(env);
  owe(env);
}

// §3.8.6.1: the window is shut, or too small for what SWS avoidance would send (MUST-35 to 38).
void Connection::persist_timeout(Env& env) {
  if (!something_unacked() && !something_unsent()) return;
  if (snd_.wnd > 0) {
    override_sws_ = true;
    return owe(env);
  }
  if (given_up(env, true)) return;
  if (retransmissions_ < 255) ++retransmissions_;
  probe_owed_ = true;
  wait_twice_as_long(env);
  owe(env);
}

void Connection::idle_timeout(Env& env) {
  if (state_ == time_wait) return end(env, Error::none, Reason::time_wait_over);
  if (state_ == fin_wait_2 && orphan_)
    return end(env, Error::timed_out, Reason::fin_wait_2_timeout);
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
