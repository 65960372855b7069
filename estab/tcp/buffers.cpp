// SPDX-License-Identifier: Apache-2.0
// How much send() takes, and how much the window offers (RFC 9293 §3.8.6); buffer_policy.hpp says
// how much that may be.
#include "estab/tcp/connection.hpp"
#include "estab/tcp/isn.hpp"
#include "estab/tcp/notice_bits.hpp"

namespace estab::tcp {
using enum State;

// --- Sending ------------------------------------------------------------------------------------

std::uint32_t Connection::send_limit(const Env& env) const {
  const Config& config = env.config;
  return tcp::send_limit({.cwnd = congestion_.cwnd(),
                          .offered = snd_.wnd,
                          .first = config.first_send_buffer,
                          .most = options_.send_buffer,
                          .reserve = config.memory_reserve,
                          .fixed = options_.fixed_send_buffer},
                         env.memory.pressure());
}

// Bytes that send() takes now. Past the budget, what the reserve leaves at its true size.
std::uint32_t Connection::send_room(const Env& env) const {
  const std::uint32_t queued = send_queue_.size(), limit = send_limit(env);
  const std::uint32_t room = limit > queued ? limit - queued : 0;
  if (env.memory.has_room(room)) return room;
  const std::size_t held = send_queue_.true_size(), reserve = env.config.memory_reserve;
  return std::min(room, std::uint32_t(held < reserve ? reserve - held : 0));
}

// Whenever the limit may have grown, or the queue has become shorter.
void Connection::tell_writable(Env& env) {
  if (!want_writable_ || !worth_writing(send_queue_.size(), send_limit(env))) return;
  want_writable_ = false;
  note(env, notice::writable);
}

// --- Receiving ----------------------------------------------------------------------------------

// Dynamic right-sizing: once a round trip, by what the program has read in it. A round trip is over
// when the peer echoes a timestamp that is younger than its beginning (RFC 7323 §4); without
// timestamps, after the smoothed round-trip time.
void Connection::tune_receive_limit(Env& env, const Segment& seg) {
  if (options_.fixed_receive_buffer) return;
  const std::uint32_t now = timestamp_at(env.now);
  const bool stamped = use_timestamps_ && seg.options.timestamps;
  const std::uint32_t age = (stamped ? seg.options.timestamps->echo - ts_offset_ : now) - tuned_ms_;
  const auto round_trip = stamped           ? Milliseconds{0}
                          : rtt_.measured() ? std::chrono::ceil<Milliseconds>(rtt_.srtt())
                                            : Milliseconds{200};
  if (std::int32_t(age) <= std::int32_t(round_trip.count())) return;
  if (env.memory.pressure() == MemoryPressure::none)
    receive_limit_ = grown_receive_limit(receive_limit_, distance(tuned_seq_, read_seq()),
                                         options_.receive_buffer);
  tuned_ms_ = now;
  tuned_seq_ = read_seq();
}

// Whether the stack's memory allows for the segment's data. Those at RCV.NXT are taken as long as
// the program's unread data are within the reserve: only they can free what waits behind them. What
// came out of order goes before they are refused.
bool Connection::make_room_for(Env& env, const Segment& seg) {
  const std::size_t size = seg.packet.true_size(), reserve = env.config.memory_reserve;
  const bool in_order = seg.seq == rcv_.nxt;
  const std::size_t ahead = reassembly_ ? reassembly_->true_size() : 0;
  if (!in_order && env.memory.pressure() != MemoryPressure::none)
    return receive_queue_.true_size() + ahead + size <= reserve;
  if (env.memory.has_room(size)) return true;
  if (!in_order) return false;
  if (ahead > 0) prune_out_of_order(env);
  return env.memory.has_room(size) || receive_queue_.true_size() < reserve;
}

// Keeps what received data take beyond their length within a quarter of the buffer, whatever the
// sizes of segments: first they are packed, then the ranges farthest ahead are dropped.
void Connection::bound_overhead(Env& env) {
  const auto overhead = [&] {
    return receive_queue_.true_size() - receive_queue_.size() +
           (reassembly_ ? reassembly_->true_size() - reassembly_->size() : 0);
  };
  const std::size_t limit = receive_overhead_limit(receive_limit_);
  if (overhead() <= limit) return;
  receive_queue_.pack(env.pool);
  if (!reassembly_) return;
  reassembly_->pack(env.pool);
  if (overhead() <= limit / 4 * 3) return;
  while (!reassembly_->empty() && overhead() > limit / 4 * 3) reassembly_->drop_last();
  env.log.counters().count(Reason::out_of_order_pruned);
}

// RFC 2018 §8: the peer keeps what it was told of by SACK until it is acknowledged.
void Connection::prune_out_of_order(Env& env) {
  if (!reassembly_ || reassembly_->empty()) return;
  while (!reassembly_->empty()) reassembly_->drop_last();
  if (reassembly_->idle()) reassembly_.reset();
  env.log.counters().count(Reason::out_of_order_pruned);
  settle(env);
}

// Bytes that the window may offer at the most, as far as the field can say it.
std::uint32_t Connection::receive_limit(const Env& env) const {
  return tcp::receive_limit(std::min(receive_limit_, 65535u << receive_scale_),
                            env.config.memory_reserve, env.memory.pressure());
}

// What the program's unread data leave of it.
std::uint32_t Connection::receive_space(const Env& env) const {
  const std::uint32_t unread = receive_queue_.size(), limit = receive_limit(env);
  return limit > unread ? limit - unread : 0;
}

// The window field. The right edge of the window moves right by no silly step (MUST-39), and never
// left (SHLD-14). The field counts units from RCV.NXT, so that with each ACK of a part of a unit
// the edge must move by less than one: right, as long as that is within the buffer, of which a
// little is kept back for it; then the edge is held, and what the peer is told wavers around it
// (RFC 7323 §2.4). What was offered is taken: less than a unit past the buffer.
std::uint16_t Connection::advertise(Env& env) {
  const std::uint32_t unit = 1u << receive_scale_, limit = receive_limit(env);
  const std::uint32_t kept_back = unit > 1 ? limit / 32 : 0;
  const std::uint32_t space = receive_space(env),
                      step = std::min<std::uint32_t>(limit / 2, receive_mss_);
  if (space >= rcv_.open() + step + kept_back)
    rcv_.right = later(rcv_.right, rcv_.nxt + std::min((space - kept_back) / unit, 65535u) * unit);
  const std::uint32_t field = std::min((rcv_.open() + unit - 1) / unit, 65535u);
  const Seq offered = rcv_.nxt + field * unit;
  if (field * unit <= space) rcv_.right = later(rcv_.right, offered);
  rcv_.edge = later(rcv_.edge, offered);
  return std::uint16_t(field);
}

// The program has read: tell the peer once the window would double (Linux), so that reading a
// little never draws an ACK for itself.
void Connection::open_window(Env& env) {
  const std::uint32_t now = rcv_.open(), space = receive_space(env), limit = receive_limit(env);
  if (now > limit / 2 || space < 2 * now) return;
  if (space < now + std::min<std::uint32_t>(limit / 2, receive_mss_)) return;
  owe_ack_now(env, Reason::send_window_update);
}

}  // namespace estab::tcp
