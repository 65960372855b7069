// SPDX-License-Identifier: Apache-2.0
// When an ACK is owed, and how soon: delayed, at once, as a challenge; never more than the limits.
#include "estab/tcp/connection.hpp"
#include "estab/tcp/isn.hpp"

namespace estab::tcp {

// RFC 7323 §4.3: only what reaches over the last ACK sent sets TS.Recent (threats 35).
void Connection::update_timestamp(Env& env, const Segment& seg) {
  if (!use_timestamps_ || !seg.options.timestamps || seg.flags.rst || rcv_.acked < seg.seq) return;
  ts_recent_ = seg.options.timestamps->value;
  ts_recent_ms_ = timestamp_at(env.now);
}

void Connection::owe_ack_now(Env& env, Reason why) {
  if (!ack_owed_ || why == Reason::send_duplicate_ack) ack_reason_ = why;
  ack_owed_ = true;
  owe(env);
}

void Connection::owe_delayed_ack(Env& env) {
  ack_at_ = std::min(ack_at_, env.now + Milliseconds{ack_timeout_ms_});
}

// SHLD-18, SHLD-19, MUST-40: every second full segment at once, the rest a moment later.
void Connection::owe_ack_of_text(Env& env, std::uint32_t text, bool at_once) {
  const Config& config = env.config;
  const Duration gap = env.now - last_received_at_;
  Duration wait = Milliseconds{ack_timeout_ms_};
  if (gap < wait) wait = std::max(config.delayed_ack, wait / 2 + gap);
  wait = std::min({wait, config.delayed_ack_max, std::max(rtt_.srtt(), config.delayed_ack)});
  ack_timeout_ms_ = std::uint16_t(wait / 1ms);
  if (text > receive_mss_)
    receive_mss_ = std::uint16_t(std::min<std::uint32_t>(text, advertised_mss()));
  unacked_text_ += text;
  const bool quick = quick_acks_ > 0;
  if (quick) --quick_acks_;
  if (at_once || quick || unacked_text_ >= 2u * receive_mss_) owe_ack_now(env, Reason::send_ack);
  else owe_delayed_ack(env);
}

// RFC 5961 §7: at most one an interval, a counter of this connection's own (X-7; threats 7).
Reason Connection::challenge(Env& env, Reason why) {
  const std::uint32_t now = timestamp_at(env.now);
  if (Milliseconds{now - challenged_ms_} < env.config.challenge_interval) {
    env.log.counters().count(Reason::challenge_limit);
    return why;
  }
  challenged_ms_ = now;
  owe_ack_now(env, Reason::send_challenge_ack);
  ack_reason_ = Reason::send_challenge_ack;
  return why;
}

// "If an incoming segment is not acceptable, an acknowledgment should be sent": from a bucket of
// its own, lest two ends that disagree go on for ever (threats 33).
Reason Connection::answer_unacceptable(Env& env, Reason why) {
  const std::uint32_t now = timestamp_at(env.now);
  const std::uint64_t refill =
      std::uint64_t{now - tokens_ms_} * env.config.unacceptable_ack_rate / 1000;
  if (refill > 0) {
    ack_tokens_ = std::uint16_t(
        std::min<std::uint64_t>(env.config.unacceptable_ack_burst, ack_tokens_ + refill));
    tokens_ms_ = now;
  }
  if (ack_tokens_ == 0) {
    env.log.counters().count(Reason::ack_limit);
    return why;
  }
  --ack_tokens_;
  owe_ack_now(env, Reason::send_duplicate_ack);
  return why;
}

}  // namespace estab::tcp
