// SPDX-License-Identifier: Apache-2.0
// What an acceptable ACK does to the sender: SND.UNA, the scoreboard, the RTT, the congestion
// window, loss recovery (RFC 5681, 6298, 6582, 6675) and the send window.
#include "estab/tcp/connection.hpp"
#include "estab/tcp/isn.hpp"
#include "estab/tcp/notice_bits.hpp"

namespace estab::tcp {
using enum State;

void Connection::accept_ack(Env& env, const Segment& seg) {
  const bool duplicate = is_duplicate_ack(seg);
  const std::uint32_t in_flight = distance(snd_.una, snd_.nxt);
  const std::uint32_t acked = snd_.una < seg.ack ? distance(snd_.una, seg.ack) : 0;
  Flight::Acked told;
  if (acked > 0) {
    const bool fin = fin_sent_ && seg.ack == snd_.nxt;
    if (flight_) told = flight_->acknowledge(seg.ack);
    account_.release(env.memory, send_queue_.consume(acked - fin - !syn_acked_));
    snd_.una = seg.ack;
    syn_acked_ = true;
    if (send_urgent_ && snd_.up <= snd_.una) send_urgent_ = false;
    retransmissions_ = 0;
    stalled_since_ = never;
  } else if (!something_unacked() || snd_.wnd == 0) {
    stalled_since_ = never;  // MUST-37: the peer answers our probes.
  }
  const bool was_shut = snd_.wnd == 0;
  update_send_window(seg);
  if (was_shut && snd_.wnd > 0) {
    retransmissions_ = 0;  // Those were probes.
    restart_retransmission_timer(env);
  }
  if (flight_) apply_sacks(seg, told);
  if (told.delivered > 0) sample_rtt(env, seg, told);
  if (acked > 0 && recovery_ != Recovery::fast && cwnd_limited_)
    congestion_.on_ack(
        {.acked = acked, .flight = in_flight, .mss = mss_, .srtt = rtt_.srtt(), .now = env.now});
  if (acked > 0) cwnd_limited_ = false;  // Until transmit() meets the limit again.
  detect_loss(env, acked, duplicate || (acked == 0 && told.delivered > 0));
  if (acked > 0) {
    restart_retransmission_timer(env);
    settle_flight(env);
    if (want_writable_ && send_queue_.size() <= options_.send_buffer / 3 * 2) {
      want_writable_ = false;
      note(env, notice::writable);
    }
    if (!something_unacked() && !something_unsent()) note(env, notice::all_acknowledged);
  }
  owe(env);
}

// RFC 5681 §2: no text, no FIN, no change, while something is out.
bool Connection::is_duplicate_ack(const Segment& seg) const {
  return seg.ack == snd_.una && something_unacked() && seg.len() == 0 &&
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

void Connection::apply_sacks(const Segment& seg, Flight::Acked& told) {
  if (!use_sack_) return;
  for (const auto& block : seg.options.sacks()) {
    // threats 12: within what is out, or not at all. A D-SACK (RFC 2883) fails this too.
    if (snd_.una < block.begin && block.begin < block.end && block.end <= snd_.nxt)
      flight_->sack(block, 256, told);
  }
}

void Connection::sample_rtt(Env& env, const Segment& seg, const Flight::Acked& told) {
  const Config& config = env.config;
  if (told.sample_from && !told.retransmitted)  // Karn: never from what was sent twice (MUST-18).
    return rtt_.sample(env.now - *told.sample_from, config.rto_min, config.rto_max);
  if (!use_timestamps_ || !seg.options.timestamps || seg.options.timestamps->echo == 0) return;
  // RFC 7323 §4: the echo tells which transmission was answered.
  const std::uint32_t ticks = timestamp_at(env.now) + ts_offset_ - seg.options.timestamps->echo;
  if (ticks < 0x7fffffff)
    rtt_.sample(std::chrono::milliseconds{ticks}, config.rto_min, config.rto_max);
}

void Connection::detect_loss(Env& env, std::uint32_t acked, bool duplicate) {
  const unsigned threshold = env.config.duplicate_ack_threshold;
  if (acked > 0) {
    if (recovery_ != Recovery::none && snd_.una >= recover_) {
      recovery_ = Recovery::none;
      dup_acks_ = 0;
    } else if (recovery_ == Recovery::fast && !use_sack_ && flight_) {
      // RFC 6582 §3.2, step 3: a partial ACK; the next hole begins at SND.UNA.
      const std::uint32_t left = acked / mss_;
      dup_acks_ = std::uint8_t(dup_acks_ > left ? dup_acks_ - left : 0);
      flight_->mark_first_lost(mss_);
      retransmit_at_once_ = true;
      retransmit_reason_ = Reason::retransmit_partial;
    } else if (recovery_ == Recovery::none) {
      dup_acks_ = 0;
    }
  }
  if (!flight_ || flight_->empty()) return;
  if (duplicate && dup_acks_ < 255) ++dup_acks_;
  const bool holes = use_sack_ && flight_->sacked() > 0 && flight_->mark_lost(mss_, threshold);
  if (recovery_ != Recovery::none) {
    if (holes && recovery_ == Recovery::fast) retransmit_reason_ = Reason::retransmit_sack;
    return;
  }
  if (holes) return retransmit_reason_ = Reason::retransmit_sack, enter_recovery(env);
  if (dup_acks_ < threshold) return;
  // RFC 6582 §3.2, step 2: not for what an earlier timeout already covered.
  if (!use_sack_ && snd_.una < recover_) return;
  retransmit_reason_ = Reason::retransmit_fast;
  flight_->mark_first_lost(mss_);
  enter_recovery(env);
}

void Connection::enter_recovery(Env& env) {
  recovery_ = Recovery::fast;
  retransmit_at_once_ = true;  // RFC 5681 §3.2, step 3; RFC 6675 §5, (4.3).
  recover_ = snd_.nxt;
  congestion_.on_loss({.acked = 0,
                       .flight = distance(snd_.una, snd_.nxt),
                       .mss = mss_,
                       .srtt = rtt_.srtt(),
                       .now = env.now});
}

// RFC 6298 §5.2, §5.3.
void Connection::restart_retransmission_timer(Env& env) {
  rtt_.clear_backoff();
  retransmit_at_ = something_unacked() ? env.now + rto(env) : never;
}

Flight& Connection::flight() {
  if (!flight_) flight_ = std::make_unique<Flight>();
  return *flight_;
}

void Connection::settle_flight(Env& env) {
  const std::size_t size = flight_ ? flight_->true_size() : 0;
  if (size > flight_bytes_) account_.charge(env.memory, size - flight_bytes_);
  else account_.release(env.memory, flight_bytes_ - size);
  flight_bytes_ = std::uint32_t(size);
  if (!flight_ || !flight_->empty()) return;
  account_.release(env.memory, flight_bytes_);
  flight_bytes_ = 0;
  flight_.reset();
}

// --- ICMP errors (RFC 9293 §3.9.2.2, RFC 5927) -------------------------------------------------

Reason Connection::icmp_arrives(Env& env, const wire::IcmpError& error) {
  // what it quotes must be in flight.
  if (!in_flight(error.seq)) return Reason::icmp_not_in_flight;
  switch (error.meaning) {
    case wire::IcmpMeaning::source_quench: return Reason::icmp_source_quench;
    case wire::IcmpMeaning::packet_too_big:
      update_mss(env);
      if (flight_) {
        flight_->mark_first_lost(mss_);
        flight_->mark_larger_lost(mss_);
        retransmit_reason_ = Reason::retransmit_mtu;
      }
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
