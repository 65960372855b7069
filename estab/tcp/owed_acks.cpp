// SPDX-License-Identifier: Apache-2.0
// When an ACK is owed, and how soon: delayed, at once, as a challenge; never more than the limits.
#include "estab/tcp/connection.hpp"

namespace estab::tcp {

void Connection::owe_ack_now(Env& env, Reason why) {
  if (!ack_owed_ || why == Reason::send_duplicate_ack) ack_reason_ = why;
  ack_owed_ = true;
  owe(env);
}

void Connection::owe_delayed_ack(Env& env) {
  ack_at_ = std::min(ack_at_, env.now + ack_policy_.delay());
}

AckPolicy::Limits Connection::ack_limits(const Env& env) const {
  const Config& config = env.config;
  return {config.delayed_ack, config.delayed_ack_max, rtt_.srtt(), rto(env), config.quick_acks};
}

// SHLD-18, SHLD-19, MUST-40: every second full segment at once, the rest a moment later. `text` may
// be more than the segment's own: it may have filled a hole.
void Connection::owe_ack_of_text(Env& env, const Segment& seg, std::uint32_t text, bool at_once) {
  // SACK blocks take their room from the text.
  const std::size_t blocks = seg.options.sack_count;
  const auto size = seg.size + wire::sack_size(blocks);
  receive_mss_.measure(size, !seg.flags.psh && !seg.flags.urg && !seg.flags.fin, advertised_mss());
  ack_policy_.data_arrived(env.now, text, ack_limits(env));
  if (seg.flags.fin && seg.seq + seg.text == rcv_.nxt) ack_policy_.fin_arrived();
  if (at_once || ack_policy_.at_once(receive_mss_)) owe_ack_now(env, Reason::send_ack);
  else owe_delayed_ack(env);
}

// RFC 5961 §7: at most one an interval, a counter of this connection's own.
Reason Connection::challenge(Env& env, Reason why) {
  if (env.now < next_challenge_) {
    env.log.counters().count(Reason::challenge_limit);
    return why;
  }
  next_challenge_ = env.now + env.config.challenge_interval;
  owe_ack_now(env, Reason::send_challenge_ack);
  ack_reason_ = Reason::send_challenge_ack;
  return why;
}

// "If an incoming segment is not acceptable, an acknowledgment should be sent": from a bucket of
// its own, lest two ends that disagree go on for ever. The bucket is one moment: when it will be
// full again.
Reason Connection::answer_unacceptable(Env& env, Reason why) {
  const Config& config = env.config;
  const Duration interval = Duration{1s} / std::max<Duration::rep>(config.unacceptable_ack_rate, 1);
  const Instant full = std::max(unacceptable_at_, env.now) + interval;
  if (full - env.now > interval * config.unacceptable_ack_burst) {
    env.log.counters().count(Reason::ack_limit);
    return why;
  }
  unacceptable_at_ = full;
  owe_ack_now(env, Reason::send_duplicate_ack);
  return why;
}

}  // namespace estab::tcp
