// SPDX-License-Identifier: Apache-2.0
// RFC 9293 §3.10.7.3 and §3.10.7.4, SEGMENT ARRIVES: SYN-SENT, and the eight checks of the other
// states, in the RFC's order. Nothing is sent from here: what is owed is recorded.
#include <utility>

#include "estab/tcp/connection.hpp"
#include "estab/tcp/isn.hpp"
#include "estab/tcp/notice_bits.hpp"

namespace estab::tcp {
using enum State;

Reason Connection::segment_arrives(Env& env, Segment& seg) {
  seg.came = seg.seq;
  const Reason reason =
      state_ == syn_sent ? arrives_in_syn_sent(env, seg) : arrives_otherwise(env, seg);
  settle(env);
  schedule(env);
  return reason;
}

// --- §3.10.7.3, SYN-SENT -------------------------------------------------------------------

Reason Connection::arrives_in_syn_sent(Env& env, Segment& seg) {
  // First, check the ACK bit. SND.UNA < SEG.ACK <= SND.NXT; nothing but our SYN is out.
  const bool ack_acceptable = seg.flags.ack && seg.ack == snd_.nxt;
  if (seg.flags.ack && !ack_acceptable) {
    if (seg.flags.rst) return Reason::syn_sent_rst;
    if (env.below.may_answer(flow_, Answer::syn_sent_reset))
      send_bare(env, seg.ack, {.rst = true}, Reason::syn_sent_ack);
    return Reason::syn_sent_ack;
  }
  // Second, check the RST bit (RFC 5961 §3.2: only with an acceptable ACK).
  if (seg.flags.rst) {
    if (!ack_acceptable) return Reason::syn_sent_rst;
    end(env, Error::refused, Reason::refused);
    return Reason::none;
  }
  // Third, check security: not supported (RFC 9293 §A.1).
  // Fourth, check the SYN bit.
  if (!seg.flags.syn) return Reason::syn_sent_no_syn;
  take_syn(env, seg);
  last_received_at_ = env.now;
  if (!ack_acceptable) {  // Figure 7: the SYNs have crossed.
    syn_owed_ = true;
    enter(env, syn_received, Reason::simultaneous_open);
    owe(env);
    return Reason::none;
  }
  disarm_send_timer();
  if (!syn_retransmitted_)
    rtt_.sample(env.now - last_sent_at_, env.config.rto_min, env.config.rto_max);
  snd_.una = seg.ack;
  syn_acked_ = true;
  retransmissions_ = 0;  // The SYN's are over: a first timeout of text is a first one.
  snd_.wl1 = seg.seq, snd_.wl2 = seg.ack;
  enter(env, established, Reason::syn_ack_arrived);
  note(env, notice::connected | notice::writable);
  owe_ack_now(env, Reason::send_ack);
  if (options_.keep_alive) idle_at_ = env.now + options_.keep_alive_idle;
  // "If there are other controls or text, continue processing at the sixth step."
  seg.seq += 1;
  seg.flags.syn = false;
  trim_to_window(seg);
  sixth_check_urg(env, seg);
  const Outcome text = seventh_process_text(env, seg);
  if (text.step == Step::next) eighth_check_fin(env, seg);
  owe(env);
  return text.reason;
}

// What a SYN tells: the peer's numbers and options (RFC 7323, RFC 2018, §3.7.1).
void Connection::take_syn(Env& env, const Segment& seg) {
  const Config& config = env.config;
  rcv_.irs = seg.seq;
  rcv_.nxt = rcv_.acked = rcv_.up = tuned_seq_ = seg.seq + 1;
  rcv_.edge = rcv_.right = rcv_.nxt + first_window(options_.receive_buffer, advertised_mss());
  snd_.wnd = snd_.max_wnd = seg.wnd;  // A SYN's window is never scaled (RFC 7323 §2.2).
  if (seg.options.mss) peer_mss_ = *seg.options.mss;
  use_timestamps_ = config.timestamps && seg.options.timestamps.has_value();
  use_sack_ = config.sack && seg.options.sack_permitted;
  use_scale_ = config.window_scaling && seg.options.window_scale.has_value();
  send_scale_ = use_scale_ ? std::min<std::uint8_t>(*seg.options.window_scale, 14) : 0;
  if (!use_scale_) receive_scale_ = 0;
  if (use_timestamps_)
    ts_recent_ = seg.options.timestamps->value, ts_recent_s_ = seconds_at(env.now);
  update_mss(env);
  receive_mss_.start(advertised_mss());
  if (syn_retransmitted_) rtt_.set_base(3 * config.initial_rto);
  congestion_.open(mss_ * (syn_retransmitted_ ? 1u : config.initial_window_segments));
}

// --- §3.10.7.4, the other states -------------------------------------------------------------

Reason Connection::arrives_otherwise(Env& env, Segment& seg) {
  if (state_ == closed) return Reason::closed_rst;
  Outcome o = check_paws(env, seg);
  if (o.step == Step::next) o = first_check_sequence(env, seg);
  if (o.step == Step::next) o = second_check_rst(env, seg);
  // Third, check security: not supported (RFC 9293 §A.1).
  if (o.step == Step::next) o = fourth_check_syn(env, seg);
  if (o.step == Step::done) return o.reason;
  trim_to_window(seg);  // Not before: RST and SYN are judged by the sequence number that came.
  o = fifth_check_ack(env, seg);
  if (o.step == Step::done) return o.reason;
  keep_alive_sent_ = 0;
  note_duplicate(seg);
  sixth_check_urg(env, seg);
  o = seventh_process_text(env, seg);
  if (o.step == Step::next) eighth_check_fin(env, seg);
  last_received_at_ = env.now;
  return o.reason;
}

// First, check sequence number.
Connection::Outcome Connection::first_check_sequence(Env& env, Segment& seg) {
  // Figure 7, last lines: the SYN-ACK that answers our SYN-ACK brings the peer's SYN again.
  if (!syn_acked_ && seg.flags.syn && seg.flags.ack && seg.seq == rcv_.irs) {
    seg.flags.syn = false;
    seg.seq += 1;
  }
  if (acceptable(seg)) return next;
  if (rcv_.wnd() == 0 &&
      seg.seq == rcv_.nxt) {  // MUST-66: a shut window still takes RST, ACK, URG.
    if (!seg.flags.rst) owe_ack_now(env, Reason::send_ack);
    seg.drop_text();
    seg.flags.fin = false;
    return next;
  }
  if (seg.flags.rst) return resets(seg) ? next : done(Reason::rst_out_of_window);
  const bool again = seg.len() > 0 && seg.seq < rcv_.nxt;
  if (again && !seg.flags.syn && refusal_of_ack(seg) == Reason::none)
    note_duplicate(seg.seq, earlier(seg.end(), rcv_.nxt));
  if (peer_fin_ && seg.flags.fin && !seg.flags.syn && seg.end() == rcv_.nxt) {
    // The peer's FIN again: it may be the only segment that acknowledges ours, and step one would
    // hide its ACK (Linux takes it).
    const Reason why = answer_unacceptable(env, Reason::duplicate_text);
    (void)fifth_check_ack(env, seg);
    return done(why);
  }
  if (seg.flags.syn) return done(challenge(env, Reason::syn_challenged));  // wherever it lies.
  return done(answer_unacceptable(env, again ? Reason::duplicate_text : Reason::out_of_window));
}

// Second, check the RST bit (RFC 5961 §3.2; ). What came before it stays readable, as in
// Linux; RFC 9293 would flush it.
Connection::Outcome Connection::second_check_rst(Env& env, const Segment& seg) {
  if (!seg.flags.rst) return next;
  if (state_ == time_wait && !env.config.rst_ends_time_wait) return done(Reason::rst_time_wait);
  if (!resets(seg)) return done(challenge(env, Reason::rst_challenged));
  switch (state_) {
    case syn_received:  // An active open that was crossed; a passive one is a record.
      end(env, Error::refused, Reason::refused);
      return done(Reason::none);
    case established:
    case fin_wait_1:
    case fin_wait_2:
    case close_wait:  end(env, Error::reset, Reason::rst_arrived); return done(Reason::none);
    case closing:
    case last_ack:
    case time_wait:
      end(env, state_ == time_wait ? Error::none : Error::reset, Reason::rst_arrived);
      return done(Reason::none);
    case closed:
    case listen:
    case syn_sent: break;
  }
  std::unreachable();
}

// Fourth, check the SYN bit: in every state that is left here it draws a challenge ACK (RFC 5961
// §4.2; X-4). RFC 6191's way out of TIME-WAIT is the stack's, before this.
Connection::Outcome Connection::fourth_check_syn(Env& env, Segment& seg) {
  if (!seg.flags.syn) return next;
  return done(challenge(env, Reason::syn_challenged));
}

// Fifth, check the ACK field.
Connection::Outcome Connection::fifth_check_ack(Env& env, const Segment& seg) {
  if (!seg.flags.ack) return done(Reason::no_ack);
  if (!syn_acked_) {  // SYN-RECEIVED, or FIN-WAIT-1 if the program has closed there.
    if (const Outcome o = finish_opening(env, seg); o.step == Step::done) return o;
  }
  if (const Reason why = refusal_of_ack(seg); why != Reason::none) return done(challenge(env, why));

  update_timestamp(env, seg);
  accept_ack(env, seg);

  if (!fin_acked()) return next;
  switch (state_) {
    case fin_wait_1:
      enter(env, fin_wait_2, Reason::fin_acked);
      note(env, notice::all_acknowledged);
      watch_orphan(env);
      return next;
    case closing: enter_time_wait(env, Reason::fin_acked); return done(Reason::none);
    case last_ack:
      note(env, notice::all_acknowledged);
      end(env, Error::none, Reason::fin_acked);
      return done(Reason::none);
    case established:
    case fin_wait_2:
    case close_wait:
    case time_wait:    return next;
    case closed:
    case listen:
    case syn_sent:
    case syn_received: break;
  }
  std::unreachable();
}

// SYN-RECEIVED after an active open: the ACK of our SYN. A FIN may have followed the SYN-ACK.
Connection::Outcome Connection::finish_opening(Env& env, const Segment& seg) {
  if (!(snd_.una < seg.ack && seg.ack <= snd_.nxt)) {
    if (env.below.may_answer(flow_, Answer::reset))
      send_bare(env, seg.ack, {.rst = true}, Reason::syn_received_ack);
    return done(Reason::syn_received_ack);
  }
  syn_owed_ = false;
  snd_.una = snd_.iss + 1;
  syn_acked_ = true;
  retransmissions_ = 0;
  snd_.wnd = snd_.max_wnd = seg.wnd << send_scale_;
  snd_.wl1 = seg.seq, snd_.wl2 = seg.ack;
  restart_retransmission_timer(env);
  if (state_ == syn_received) enter(env, established, Reason::handshake_done);
  note(env, notice::connected | (fin_queued_ ? 0 : notice::writable));
  if (options_.keep_alive) idle_at_ = env.now + options_.keep_alive_idle;
  owe(env);
  return next;
}

// Sixth, check the URG bit. Urgent text stays in line (RFC 6093); the program is told (MUST-32).
void Connection::sixth_check_urg(Env& env, const Segment& seg) {
  if (!seg.flags.urg || seg.up == 0 || !is(established | fin_wait_1 | fin_wait_2)) return;
  const Seq up = seg.seq + seg.up;
  if (up <= read_seq() || (receive_urgent_ && up <= rcv_.up)) return;
  rcv_.up = up;
  receive_urgent_ = true;
  note(env, notice::urgent);
}

// Seventh, process the segment text.
Connection::Outcome Connection::seventh_process_text(Env& env, Segment& seg) {
  if (seg.text == 0) return next;
  if (!is(established | fin_wait_1 | fin_wait_2)) return {Step::next, Reason::text_after_fin};
  if (orphan_) {  // SHLD-3: nobody is left to read it.
    send_bare(env, seg.ack, {.rst = true}, Reason::text_after_close);  // As if it were CLOSED.
    end(env, Error::aborted, Reason::text_after_close);
    return done(Reason::text_after_close);
  }
  if (!make_room_for(env, seg)) {
    owe_ack_now(env, Reason::send_ack);
    return done(Reason::receive_memory);
  }
  const Reason reason = seg.seq == rcv_.nxt ? take_in_order(env, seg) : take_out_of_order(env, seg);
  return {Step::next, reason};
}

Reason Connection::take_in_order(Env& env, Segment& seg) {
  const Seq before = rcv_.nxt;
  const auto push = [&](Packet text) { receive_queue_.push(env.pool, std::move(text)); };
  if (reassembly_ && reassembly_->begins_before(seg.seq + seg.text)) {
    // It reaches over what is held, whose first copy stands (threats 54): into the gaps with it.
    (void)reassembly_->insert(env.pool, rcv_.nxt, seg.seq, std::move(seg.packet),
                              env.config.reassembly_ranges);
  } else {
    rcv_.nxt += seg.text;
    push(std::move(seg.packet));
  }
  bool filled = false;
  if (reassembly_) {
    filled = true;
    reassembly_->take(rcv_.nxt, push);
    if (reassembly_->idle()) reassembly_.reset();
  }
  bound_overhead(env);
  const std::uint32_t text = distance(before, rcv_.nxt);
  octets_received_ += text;
  progress_.made(text, timestamp_at(env.now));
  tune_receive_limit(env, seg);
  want_readable_ = false;
  note(env, notice::readable);
  owe_ack_of_text(env, seg, text, filled);
  return Reason::none;
}

// SHLD-31: held until its turn; the duplicate ACK tells the peer (MAY-13).
Reason Connection::take_out_of_order(Env& env, Segment& seg) {
  if (!reassembly_) reassembly_ = std::make_unique<Reassembly>();
  const bool taken = reassembly_->insert(env.pool, rcv_.nxt, seg.seq, std::move(seg.packet),
                                         env.config.reassembly_ranges);
  bound_overhead(env);
  if (duplicate_acks_owed_ < 3) ++duplicate_acks_owed_;
  owe_ack_now(env, Reason::send_duplicate_ack);
  return taken ? Reason::none : Reason::reassembly_full;
}

// Eighth, check the FIN bit.
void Connection::eighth_check_fin(Env& env, const Segment& seg) {
  if (!is(established | fin_wait_1 | fin_wait_2)) return;  // The peer has sent its FIN before.
  if (seg.flags.fin && seg.seq + seg.text > rcv_.nxt) {    // It came ahead of missing text.
    if (!reassembly_) reassembly_ = std::make_unique<Reassembly>();
    reassembly_->set_fin(seg.seq + seg.text);
    owe_ack_now(env, Reason::send_duplicate_ack);
  }
  const bool in_turn = seg.flags.fin && seg.seq + seg.text == rcv_.nxt;
  if (!in_turn && !(reassembly_ && reassembly_->fin_at(rcv_.nxt))) return;
  reassembly_.reset();
  rcv_.nxt += 1;
  rcv_.edge = later(rcv_.edge, rcv_.nxt);
  peer_fin_ = true;
  note(env, notice::readable | notice::peer_closed);
  switch (state_) {
    case established:
      ack_policy_.fin_arrived();
      owe_delayed_ack(env);  // So that the program's FIN may ride on it: a three-segment close.
      return enter(env, close_wait, Reason::fin_arrived);
    case fin_wait_1:  // Our FIN is not acknowledged, or step five had left this state.
      owe_ack_now(env, Reason::send_ack);
      return enter(env, closing, Reason::fin_arrived);
    case fin_wait_2:
      owe_ack_now(env, Reason::send_ack);
      return enter_time_wait(env, Reason::fin_arrived);
    case closed:
    case listen:
    case syn_sent:
    case syn_received:
    case close_wait:
    case closing:
    case last_ack:
    case time_wait:    break;
  }
  std::unreachable();
}

// --- What the checks share -------------------------------------------------------------------

void Connection::enter_time_wait(Env& env, Reason why) {
  disarm_send_timer();
  if (state_ != time_wait) enter(env, time_wait, why);
  idle_at_ = env.now + env.config.time_wait;
  schedule(env);
}

}  // namespace estab::tcp
