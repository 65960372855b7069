// SPDX-License-Identifier: Apache-2.0
// RFC 9293 §3.10.1 to 6: OPEN, SEND, RECEIVE, CLOSE, ABORT, STATUS.
#include "estab/tcp/connection.hpp"
#include "estab/tcp/isn.hpp"
#include "estab/tcp/notice_bits.hpp"

namespace estab::tcp {
using enum State;

Connection::Connection(Env& env, const Flow& flow, const Options& options)
    : flow_(flow), rtt_(env.config.initial_rto), options_(options) {
  opened_at_ = last_received_at_ = last_sent_at_ = env.now;
  next_challenge_ = unacceptable_at_ = env.now;
  ts_offset_ = timestamp_offset(env.secrets.timestamps, flow);
  receive_scale_ = scale_for(env.config, options, env.config.timestamps);
  receive_limit_ = first_receive_limit(env.config, options);
  tuned_ms_ = timestamp_at(env.now);
  progress_.begin(tuned_ms_);
  peer_mss_ = default_mss(flow.remote.address);
  (void)env.below.refresh(path_, flow.remote.address);
  settle(env);
}

Connection::Connection(Env& env, const HalfOpen& record, const Options& options)
    : Connection(env, record.flow, options) {
  state_ = established;
  accepted = false;
  unproven = true;
  snd_.iss = record.iss;
  snd_.una = snd_.nxt = snd_.wl2 = snd_.up = push_ = recover_ = small_ = record.iss + 1;
  rcv_.irs = record.irs;
  rcv_.nxt = rcv_.acked = rcv_.up = snd_.wl1 = tuned_seq_ = record.irs + 1;
  syn_acked_ = true;
  use_timestamps_ = record.has_timestamps;
  use_sack_ = record.has_sack;
  use_scale_ = record.has_scale;
  send_scale_ = record.scale;
  // A cookie without timestamps does not tell whether scaling was agreed: the window that we offer
  // is then meant as scaled, and holds as well if it is read as unscaled.
  receive_scale_ = scale_for(env.config, options, use_timestamps_);
  if (record.by_cookie && !use_timestamps_) receive_limit_ = options.receive_buffer;
  else if (!use_scale_) receive_scale_ = 0;
  // Our clock goes on from the TSval of the SYN-ACK, which is part of a cookie.
  if (use_timestamps_) ts_offset_ = record.ts_value - timestamp_at(record.opened);
  ts_recent_ = record.ts_recent;
  ts_recent_s_ = seconds_at(env.now);
  peer_mss_ = record.mss;
  update_mss(env);
  receive_mss_.start(advertised_mss());
  rcv_.edge = rcv_.right = rcv_.nxt + first_window(options.receive_buffer,
                                                   advertised_mss() - (use_timestamps_ ? 12 : 0));
  if (options.keep_alive) idle_at_ = env.now + options.keep_alive_idle;
  schedule(env);
  syn_retransmitted_ = record.retransmissions > 0;
  if (record.by_cookie) rtt_.set_base(env.config.initial_rto);  // Nobody knows when it began.
  else if (!syn_retransmitted_)
    rtt_.sample(env.now - record.opened, env.config.rto_min, env.config.rto_max);
  else rtt_.set_base(3 * env.config.initial_rto);  // RFC 6298 §5.7.
  congestion_.open(mss_ * (syn_retransmitted_ ? 1u : env.config.initial_window_segments));
}

void Connection::open(Env& env, State from) {
  state_ = from;
  snd_.iss = active_isn(env.secrets.initial_sequence, flow_, env.now);
  snd_.una = snd_.iss;
  snd_.nxt = push_ = recover_ = small_ = snd_.up = snd_.iss + 1;
  syn_owed_ = true;
  enter(env, syn_sent, Reason::user_active_open);
  arm(SendTimer::syn, env.now + env.config.initial_rto);
  schedule(env);
  owe(env);
}

std::expected<std::size_t, Error> Connection::send(Env& env, Bytes text, bool push, bool urgent,
                                                   bool more) {
  if (error_ != Error::none) return std::unexpected(error_);
  if (fin_queued_) return std::unexpected(Error::shut_down);
  if (!is(syn_sent | syn_received | established | close_wait))
    return std::unexpected(Error::not_connected);
  if (text.empty()) return 0;

  const std::uint32_t queued = send_queue_.size();
  const std::uint32_t room = send_room(env);
  const std::size_t taken =
      send_queue_.append(env.pool, text.first(std::min<std::size_t>(room, text.size())), room);
  settle(env);
  if (taken < text.size()) {
    want_writable_ = true;
    // Where memory was short and nothing is out, no ACK will say when to try again.
    if (send_timer_ == SendTimer::none) arm(SendTimer::retry, env.now + rto(env)), schedule(env);
  }
  if (taken == 0) return std::unexpected(Error::would_block);
  if (queued == 0) progress_.begin(timestamp_at(env.now));
  if (push) push_ = text_end();
  if (urgent) snd_.up = text_end(), send_urgent_ = true;  // MUST-62: behind the last urgent octet.
  more_ = more;
  owe(env);
  return taken;
}

std::expected<std::size_t, Error> Connection::receive(Env& env, MutableBytes out) {
  if (receive_queue_.size() == 0) {
    if (peer_fin_) return 0;  // It came before the error: what was sent has been read to its end.
    if (error_ != Error::none) return std::unexpected(error_);
    if (out.empty()) return 0;
    if (is(closed | listen)) return std::unexpected(Error::not_connected);
    want_readable_ = true;
    return std::unexpected(Error::would_block);
  }
  // Stop in front of the last urgent octet, once (RFC 6093 §6; sockatmark).
  if (receive_urgent_ && read_seq() < rcv_.up - 1)
    out = out.first(std::min<std::size_t>(out.size(), distance(read_seq(), rcv_.up - 1)));
  const std::size_t taken = receive_queue_.read(out);
  settle(env);
  if (receive_urgent_ && read_seq() >= rcv_.up) receive_urgent_ = false;
  if (is(established | fin_wait_1 | fin_wait_2)) open_window(env);
  return taken;
}

// §3.10.4, CLOSE, as a half-close: the sending side alone. The state changes when the FIN is
// queued, not when it is sent (Linux).
std::expected<void, Error> Connection::shutdown(Env& env) {
  if (error_ != Error::none) return std::unexpected(error_);
  if (fin_queued_) return std::unexpected(Error::shut_down);
  switch (state_) {
    case syn_sent: end(env, Error::aborted, Reason::close_before_open); return {};
    case syn_received:
    case established:
      fin_queued_ = true;
      enter(env, fin_wait_1, Reason::user_close);
      break;
    case close_wait:
      fin_queued_ = true;
      enter(env, last_ack, Reason::user_close);
      break;
    case closed:
    case listen:
    case fin_wait_1:
    case fin_wait_2:
    case closing:
    case last_ack:
    case time_wait:  return std::unexpected(Error::not_connected);
  }
  more_ = false;
  owe(env);
  return {};
}

void Connection::close(Env& env) {
  orphan_ = true;
  if (receive_queue_.size() > 0 &&
      is(established | fin_wait_1 | fin_wait_2 | close_wait | syn_received)) {
    reset_peer(env, Reason::close_with_unread);
    return end(env, Error::aborted, Reason::close_with_unread);
  }
  if (is(syn_sent | syn_received | established | close_wait)) (void)shutdown(env);
  watch_orphan(env);
  if (is(closed | time_wait)) tell_end(env);
}

void Connection::abort(Env& env, Reason why) {
  orphan_ = true;
  // Where a FIN is queued but not sent, LAST-ACK and CLOSING are only ours: the peer must be told.
  if (is(syn_received | established | fin_wait_1 | fin_wait_2 | close_wait) ||
      (is(closing | last_ack) && something_unsent()))
    reset_peer(env, why);
  end(env, Error::aborted, why);
}

void Connection::status(const Env& env, ConnectionInfo& info) const {
  info.flow = flow_;
  info.state = state_;
  info.orphan = orphan_;
  info.receive_queue = receive_queue_.size();
  info.send_queue = send_queue_.size();
  info.flight = state_ == closed ? 0 : distance(snd_.una, snd_.nxt);
  info.cwnd = congestion_.cwnd();
  info.ssthresh = congestion_.ssthresh();
  info.send_window = snd_.wnd;
  info.receive_window = rcv_.wnd();
  info.send_mss = mss_;
  info.send_scale = send_scale_;
  info.receive_scale = receive_scale_;
  info.timestamps = use_timestamps_;
  info.sack = use_sack_;
  if (flight_) {
    info.pipe = flight_->scoreboard.pipe();
    info.sacked = flight_->scoreboard.sacked();
    info.lost = flight_->scoreboard.lost();
  }
  info.retransmissions = retransmissions_;
  info.srtt = rtt_.srtt();
  info.rto = rtt_.rto(120s);
  info.octets_sent = octets_sent_;
  info.octets_received = octets_received_;
  info.octets_retransmitted = octets_retransmitted_;
  info.memory = account_.used();
  if (holds_data()) info.stalled = Milliseconds{progress_.stalled(timestamp_at(env.now))};
  info.send_limit = send_queue_.size() + send_room(env);
  info.receive_limit = receive_limit(env);
  info.age = env.now - opened_at_;
}

void Connection::set_options(Env& env, const Options& options) {
  const std::uint32_t before = receive_limit_;
  options_ = options;
  receive_limit_ = options.fixed_receive_buffer ? options.receive_buffer
                                                : std::min(receive_limit_, options.receive_buffer);
  const bool window_grew = receive_limit_ > before;
  if (is(established | fin_wait_1 | fin_wait_2) && window_grew) open_window(env);
  if (is(syn_received | established | close_wait | fin_wait_1 | fin_wait_2))
    idle_at_ = options.keep_alive ? last_received_at_ + options.keep_alive_idle : never;
  schedule(env);
  tell_writable(env);  // The send buffer may be larger.
  owe(env);            // Nagle may be off now.
}

std::size_t Connection::urgent_remaining() const {
  return receive_urgent_ && read_seq() < rcv_.up ? distance(read_seq(), rcv_.up) : 0;
}

bool Connection::at_mark() const { return receive_urgent_ && read_seq() == rcv_.up - 1; }

// --- What the calls and arrivals share ----------------------------------------------------

void Connection::enter(Env& env, State to, Reason why) {
  env.log.transition(env.now, flow_, state_, to, why);
  state_ = to;
  if (!is(closed | time_wait)) return;
  note(env, notice::closed | (to == closed ? 0 : notice::all_acknowledged));
  tell_end(env);
}

void Connection::owe(Env& env) {
  if (!queued_owing) env.owing.push_back(index_);
  queued_owing = true;
}

void Connection::note(Env& env, std::uint16_t bits) {
  if (orphan_) return;
  notices_ |= bits;
  renote(env);
}

void Connection::renote(Env& env) {
  // Before accept() there is nobody to be told.
  if (notices_ == 0 || !accepted || queued_noting) return;
  env.noting.push_back(index_);
  queued_noting = true;
}

void Connection::tell_end(Env& env) {
  if (!queued_ended) env.ended.push_back(index_);
  queued_ended = true;
}

// The one timer node stands at the earliest deadline, or before it: it is only moved forward.
void Connection::schedule(Env& env) {
  const Instant earliest = std::min({send_at_, ack_at_, idle_at_});
  if (earliest != never && (!armed() || earliest < deadline)) env.timers.arm(*this, earliest);
}

void Connection::end(Env& env, Error error, Reason why) {
  error_ = error;
  disarm_send_timer();
  ack_at_ = idle_at_ = never;
  reassembly_.reset();  // What came in order stays readable; the holes are never filled.
  settle(env);
  ack_owed_ = false;
  duplicate_acks_owed_ = 0;
  syn_owed_ = probe_owed_ = keep_alive_owed_ = false;
  send_queue_.clear();  // It will never leave. What was received stays readable.
  flight_.reset();
  reassembly_.reset();
  settle(env);
  if (state_ != closed) enter(env, closed, why);
  else tell_end(env);
}

void Connection::give_way(Env& env, Reason why) {
  reset_peer(env, why);
  receive_queue_.clear();
  end(env, Error::aborted, why);
}

void Connection::reset_peer(Env& env, Reason why) {
  send_bare(env, seq_without_text(), {.rst = true, .ack = true}, why);
}

void Connection::release(Env& env) {
  env.timers.disarm(*this);
  send_queue_.clear();
  receive_queue_.clear();
  flight_.reset();
  reassembly_.reset();
  account_.settle(env.memory, 0);
}

std::size_t Connection::true_size() const {
  return Slab<Connection>::bytes_each + send_queue_.true_size() + receive_queue_.true_size() +
         (flight_ ? flight_->true_size() : 0) +
         (reassembly_ ? sizeof(Reassembly) + reassembly_->true_size() : 0);
}

std::size_t Connection::count_true_size() const {
  return Slab<Connection>::bytes_each + send_queue_.count_true_size() +
         receive_queue_.count_true_size() + (flight_ ? flight_->true_size() : 0) +
         (reassembly_ ? sizeof(Reassembly) + reassembly_->count_true_size() : 0);
}

TimeWait Connection::remains() const {
  TimeWait record{.flow = flow_,
                  .snd_nxt = snd_.nxt,
                  .rcv_nxt = rcv_.nxt,
                  .ts_recent = ts_recent_,
                  .ts_offset = ts_offset_};
  record.has_timestamps = use_timestamps_;
  return record;
}

}  // namespace estab::tcp
