// SPDX-License-Identifier: Apache-2.0
// What an acceptable ACK does to the sender: SND.UNA, the scoreboard, the RTT, the congestion
// window, loss recovery (RFC 5681, 6298, 6582, 6675) and the send window.
#include "estab/tcp/connection.hpp"
#include "estab/tcp/isn.hpp"
#include "estab/tcp/notice_bits.hpp"

namespace estab::tcp {
using enum State;

void Connection::accept_ack(Env& env, const Segment& seg) {
  const std::uint32_t acked = snd_.una < seg.ack ? distance(snd_.una, seg.ack) : 0;
  more_ = false;  // What was to come at once has had a round trip to come (Linux).
  Scoreboard::Acked told;
  if (acked > 0) {
    const bool fin = fin_sent_ && seg.ack == snd_.nxt;
    if (flight_) told = flight_->scoreboard.acknowledge(seg.ack);
    send_queue_.consume(acked - fin - !syn_acked_);
    snd_.una = seg.ack;
    push_ = later(push_, snd_.una);
    small_ = later(small_, snd_.una);
    syn_acked_ = true;
    if (send_urgent_ && snd_.up <= snd_.una) send_urgent_ = false;
    retransmissions_ = 0;
    stalled_since_ = never;
    progress_.made(acked, timestamp_at(env.now));
  } else if (!something_unacked() && snd_.wnd > 0) {
    stalled_since_ = never;
  }
  if (flight_) apply_sacks(seg, told);
  const bool duplicate = acked == 0 && is_duplicate_ack(seg, told);
  const bool was_shut = snd_.wnd == 0;
  update_send_window(seg);
  if (was_shut && snd_.wnd > 0) {
    retransmissions_ = 0;  // Those were probes, and they say nothing of the RTT.
    rtt_.clear_backoff();
    stalled_since_ = never;
    restart_retransmission_timer(env);
  }
  if (told.delivered > 0) sample_rtt(env, seg, told, acked > 0);
  if (acked > 0 && recovery_ != Recovery::fast && flight_ &&
      flight_->use.limits(congestion_.cwnd(), congestion_.in_slow_start()))
    congestion_.on_ack(
        {.acked = acked, .flight = 0, .mss = mss_, .srtt = rtt_.srtt(), .now = env.now});
  detect_loss(env, acked, duplicate);
  recover_ = later(recover_, snd_.una);
  if (acked > 0) {
    restart_retransmission_timer(env);
    settle_flight();
    if (!something_unacked() && !something_unsent()) note(env, notice::all_acknowledged);
  }
  tell_writable(env);
  owe(env);
}

// With SACK: it tells of octets that nobody knew to have arrived (RFC 6675 §2). Without: no text,
// no FIN, no change, while something is out (RFC 5681 §2); the answer to a probe is none.
bool Connection::is_duplicate_ack(const Segment& seg, const Scoreboard::Acked& told) const {
  if (use_sack_) return seg.ack == snd_.una && told.delivered > 0;
  return seg.ack == snd_.una && something_unacked() && seg.len() == 0 && snd_.wnd > 0 &&
         (seg.wnd << send_scale_) == snd_.wnd;
}

// SND.WND is 32 bits wide (MUST-1, REC-1).
void Connection::update_send_window(const Segment& seg) {
  if (seg.ack < snd_.una) return;  // "If SND.UNA =< SEG.ACK =< SND.NXT."
  if (!(snd_.wl1 < seg.seq || (snd_.wl1 == seg.seq && snd_.wl2 <= seg.ack))) return;
  snd_.wnd = seg.wnd << send_scale_;
  snd_.wl1 = seg.seq, snd_.wl2 = seg.ack;
  snd_.max_wnd = std::max(snd_.max_wnd, snd_.wnd);
}

void Connection::apply_sacks(const Segment& seg, Scoreboard::Acked& told) {
  if (!use_sack_) return;
  for (const auto& block : seg.options.sacks()) {
    // Within what is out, or not at all. A D-SACK (RFC 2883) fails this too.
    if (snd_.una < block.begin && block.begin < block.end && block.end <= snd_.nxt)
      flight_->scoreboard.sack(block, told);
  }
}

void Connection::sample_rtt(Env& env, const Segment& seg, const Scoreboard::Acked& told,
                            bool advanced) {
  const Config& config = env.config;
  if (told.sample_from && !told.retransmitted)  // Karn: never from what was sent twice (MUST-18).
    return rtt_.sample(env.now - *told.sample_from, config.rto_min, config.rto_max);
  // RFC 7323 §4.1: the echo tells which transmission was answered, where SND.UNA has moved. Else it
  // may be as old as the segment in front of the hole.
  if (!advanced || !use_timestamps_ || !seg.options.timestamps || seg.options.timestamps->echo == 0)
    return;
  const std::uint32_t ticks = timestamp_at(env.now) + ts_offset_ - seg.options.timestamps->echo;
  if (ticks < 0x7fffffff)
    rtt_.sample(std::chrono::milliseconds{ticks}, config.rto_min, config.rto_max);
}

void Connection::detect_loss(Env& env, std::uint32_t acked, bool duplicate) {
  if (acked > 0 && recovery_ != Recovery::none && snd_.una >= recover_) {
    recovery_ = Recovery::none;
    if (flight_) flight_->no_duplicates();
  }
  if (!flight_ || flight_->scoreboard.empty()) return;
  InFlight& out = *flight_;
  const unsigned threshold = env.config.duplicate_ack_threshold;
  if (acked > 0 && recovery_ == Recovery::none) out.no_duplicates();
  if (acked > 0 && recovery_ == Recovery::fast && !use_sack_) {
    // RFC 6582 §3.2, step 3: a partial ACK; the next hole begins at SND.UNA.
    out.duplicate_acks -= std::min(out.duplicate_acks, acked / mss_);
    out.limit_duplicates(mss_);
    out.scoreboard.mark_first_lost(mss_);
    retransmit_at_once_ = true;
    retransmit_reason_ = Reason::retransmit_partial;
  }
  if (duplicate) out.count_duplicate(mss_);
  const bool holes = use_sack_ && out.scoreboard.mark_lost(mss_, threshold);
  if (recovery_ != Recovery::none) {
    if (holes && recovery_ == Recovery::fast) retransmit_reason_ = Reason::retransmit_sack;
    return;
  }
  if (holes) return retransmit_reason_ = Reason::retransmit_sack, enter_recovery(env);
  if (out.duplicate_acks < threshold) return;
  // RFC 6582 §3.2, step 2: not for what an earlier timeout already covered.
  if (!use_sack_ && snd_.una < recover_) return;
  retransmit_reason_ = Reason::retransmit_fast;
  out.scoreboard.mark_first_lost(mss_);
  enter_recovery(env);
}

void Connection::enter_recovery(Env& env) {
  recovery_ = Recovery::fast;
  retransmit_at_once_ = true;  // RFC 5681 §3.2, step 3; RFC 6675 §5, (4.3).
  recover_ = snd_.nxt;
  // What limited transmit has sent is not counted (RFC 5681 §3.2, step 2).
  congestion_.on_loss({.acked = 0,
                       .flight = distance(snd_.una, snd_.nxt) - flight_->limited_transmit,
                       .mss = mss_,
                       .srtt = rtt_.srtt(),
                       .now = env.now});
}

// RFC 6298 §5.2, §5.3. The back-off stays until an RTT was measured (§5.7's end; Karn, MUST-18).
void Connection::restart_retransmission_timer(Env& env) {
  if (something_unacked()) arm(SendTimer::retransmit, env.now + rto(env));
  else disarm_send_timer();
}

InFlight& Connection::flight() {
  if (!flight_) flight_ = std::make_unique<InFlight>(snd_.una);
  return *flight_;
}

void Connection::settle_flight() {
  if (flight_ && flight_->scoreboard.empty()) flight_.reset();
}

// --- ICMP errors (RFC 9293 §3.9.2.2, RFC 5927) -------------------------------------------------

Reason Connection::icmp_arrives(Env& env, const wire::IcmpError& error) {
  // What it quotes must be in flight.
  if (!in_flight(error.seq)) return Reason::icmp_not_in_flight;
  switch (error.meaning) {
    case wire::IcmpMeaning::source_quench: return Reason::icmp_source_quench;
    case wire::IcmpMeaning::packet_too_big:
      if (!flight_) return Reason::icmp_ignored;
      if (const bool news = refresh_path(env); !flight_->scoreboard.mark_larger_lost(mss_)) {
        if (!news) return Reason::icmp_ignored;
        flight_->scoreboard.mark_first_lost(mss_);  // It is to be fragmented from now on.
      }
      retransmit_at_once_ = true;
      retransmit_reason_ = Reason::retransmit_mtu;
      settle(env);
      owe(env);
      return Reason::none;
    case wire::IcmpMeaning::hard:
      // RFC 5927 §4.1, and Linux: only while opening; afterwards it is as soft as the rest.
      if (is(syn_sent | syn_received)) {
        end(env, error.code == 3 || error.code == 4 ? Error::refused : Error::unreachable,
            Reason::host_unreachable);
        return Reason::none;
      }
      [[fallthrough]];
    case wire::IcmpMeaning::soft:  // MUST-56: never the end of a connection.
      note(env, notice::soft_error);
      return Reason::none;
  }
  std::unreachable();
}

}  // namespace estab::tcp
