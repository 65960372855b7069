// SPDX-License-Identifier: Apache-2.0
// What leaves: retransmissions, new text, FIN, probes, and the ACKs that nothing else carried.
#include "estab/tcp/connection.hpp"
#include "estab/tcp/isn.hpp"

namespace estab::tcp {
using enum State;

bool Connection::transmit(Env& env) {
  const Address& peer = flow_.remote.address;
  if (is(closed | listen)) return true;
  if (!env.below.ready(peer)) return false;
  if (syn_owed_) send_syn(env);
  if (is(syn_sent)) return schedule(env), true;
  // §3.10.4: a FIN alone may follow our SYN-ACK; text waits until the handshake is done.
  const bool open = syn_acked_ || (fin_queued_ && send_queue_.size() == 0);
  if (open && state_ != time_wait) {
    while (retransmit_one(env))
      if (!env.below.ready(peer)) return schedule(env), false;
    while (send_new(env))
      if (!env.below.ready(peer)) return schedule(env), false;
    if (probe_owed_ || keep_alive_owed_) send_probe(env);
  }
  send_acks(env);
  schedule(env);
  return true;
}

void Connection::send_syn(Env& env) {
  syn_owed_ = false;
  const bool answering = state_ != syn_sent;
  wire::TcpHeader h = header(env, snd_.iss, {.syn = true, .ack = answering});
  // Never scaled on a SYN (RFC 7323 §2.2).
  h.window = answering ? std::uint16_t(std::min(rcv_.wnd(), 65535u))
                       : first_window(options_.receive_buffer, advertised_mss(env));
  const Config& config = env.config;
  // A SYN-ACK offers only what the SYN offered (behaviour.md).
  h.options.mss = advertised_mss(env);
  if (answering ? use_sack_ : config.sack) h.options.sack_permitted = true;
  if (answering ? use_timestamps_ : config.timestamps)
    h.options.timestamps = {timestamp_at(env.now) + ts_offset_, answering ? ts_recent_ : 0};
  else h.options.timestamps.reset();
  if (answering ? use_scale_ : config.window_scaling) h.options.window_scale = receive_scale_;
  if (answering) after_ack_sent();
  emit(env, env.pool.allocate_gather(), h, 0,
       answering              ? Reason::send_syn_ack
       : retransmissions_ > 0 ? Reason::retransmit_timeout
                              : Reason::send_syn);
}

// Fills one stretch of what was lost, as far as the windows allow (SHLD-16, MUST-34).
bool Connection::retransmit_one(Env& env) {
  if (!flight_ || flight_->empty()) return false;
  auto stretch = flight_->next_lost();
  Reason why = retransmit_reason_;
  if (!stretch && recovery_ == Recovery::fast && use_sack_ && !new_text_allowed(env)) {
    stretch = flight_->next_unsacked();  // RFC 6675 §4, NextSeg (3).
    why = Reason::retransmit_sack;
  }
  if (!stretch) return false;
  const std::uint32_t room = cwnd_room();
  if (room < mss_ && pipe() > 0 && !retransmit_at_once_) return false;
  const Seq limit = snd_.una + std::max(snd_.wnd, 1u);
  if (stretch->begin >= limit) return false;
  // The first after a timeout goes alone, whatever cwnd says.
  const std::uint32_t largest = std::min(room, env.below.largest_text(flow_.remote.address));
  const std::uint32_t whole = std::max<std::uint32_t>(largest / mss_, 1) * mss_;
  const Seq end =
      earlier(stretch->begin + std::min(distance(stretch->begin, stretch->end), whole), limit);
  retransmit_at_once_ = false;
  const bool fin = fin_sent_ && end == snd_.nxt;
  const std::uint32_t text = distance(stretch->begin, end) - (fin ? 1 : 0);
  return send_text(env, stretch->begin, text, fin, why);
}

std::uint32_t Connection::pipe() const {
  if (!flight_) return 0;
  const std::uint32_t out = flight_->pipe();
  // Without SACK each duplicate ACK says that one segment has left (RFC 5681 §3.2, RFC 3042).
  const std::uint32_t left = use_sack_ ? 0 : std::uint32_t{dup_acks_} * mss_;
  return out > left ? out - left : 0;
}

std::uint32_t Connection::cwnd_room() const {
  const std::uint32_t out = pipe();
  std::uint32_t window = congestion_.cwnd();
  return window > out ? window - out : 0;
}

std::uint32_t Connection::usable_window() const {
  const std::int32_t usable = (snd_.una + snd_.wnd) - snd_.nxt;
  return usable > 0 ? std::uint32_t(usable)
                    : 0;  // SHLD-15: a shrunken window is not an invitation.
}

// Octets of new text that may leave in one packet now: windows, then sender SWS avoidance and
// Nagle (§3.8.6.2.1, §3.7.4; MUST-38, SHLD-7). Nagle is Linux's, after Minshall: a partial segment
// waits for the ACK of the last partial one, not of everything.
std::uint32_t Connection::new_text_allowed(Env& env) {
  const std::uint32_t unsent = snd_.nxt < text_end() ? distance(snd_.nxt, text_end()) : 0;
  const std::uint32_t usable = usable_window(), room = cwnd_room();
  const std::uint32_t largest = env.below.largest_text(flow_.remote.address) / mss_ * mss_;
  std::uint32_t length = std::min({unsent, usable, std::max<std::uint32_t>(largest, mss_)});
  if (length == 0) return 0;
  if (room < length) cwnd_limited_ = true;
  if (room < std::min<std::uint32_t>(length, mss_)) return 0;
  length = std::min(length, room);

  const bool nagle = options_.nagle && snd_.una < small_;
  const bool urgent = send_urgent_ && snd_.nxt < snd_.up;
  const bool tail_may_go = length == unsent
                               ? fin_queued_ || urgent || (!more_ && !nagle)
                               : !nagle && length == usable && length >= snd_.max_wnd / 2;
  if (tail_may_go || override_sws_) return length;
  return length - length % mss_;  // SHLD-28.
}

bool Connection::send_new(Env& env) {
  const std::uint32_t text = new_text_allowed(env);
  const bool all = snd_.nxt + text == text_end();
  const bool fin = fin_queued_ && !fin_sent_ && all && usable_window() > text;
  if (text > 0 || fin) {
    override_sws_ = false;
    const bool limited = dup_acks_ > 0 && recovery_ == Recovery::none;
    return send_text(env, snd_.nxt, text, fin,
                     limited    ? Reason::send_limited_transmit
                     : text > 0 ? Reason::send_text
                                : Reason::send_fin);
  }
  // Nothing is out that would bring an ACK, and something waits for the window: persist.
  const bool held_by_more = more_ && usable_window() > 0;
  if (something_unsent() && !something_unacked() && retransmit_at_ == never)
    retransmit_at_ = env.now + (held_by_more ? Duration{200ms} : rto(env));
  return false;
}

// One packet of text from the send queue, new or again; what finds no room in it goes in the next.
bool Connection::send_text(Env& env, Seq seq, std::uint32_t text, bool fin, Reason why) {
  Packet packet = env.pool.allocate_gather();
  if (!packet) return env.log.counters().count(Reason::no_memory), false;
  std::uint32_t shared =
      text > 0 ? send_queue_.share(distance(text_begin(), seq), text, packet) : 0;
  if (shared < text) {
    if (shared > mss_) shared -= shared % mss_;
    packet.truncate(shared);
    fin = false;
  }
  const Seq end = seq + shared + (fin ? 1 : 0);
  const bool fresh = snd_.nxt < end;
  const bool pushed = shared > 0 && seq < push_ && push_ <= seq + shared;
  const bool last = shared > 0 && seq + shared == text_end() && !more_;
  wire::TcpHeader h = header(env, seq, {.fin = fin, .psh = pushed || last, .ack = true});
  if (h.flags.urg) h.flags.psh = true;
  if (fresh) {
    flight().sent(seq, end, env.now);
    snd_.nxt = end;
    if (shared % mss_ != 0) small_ = seq + shared;
    fin_sent_ = fin_sent_ || fin;
  } else {
    flight().sent_again(seq, end, env.now);
    octets_retransmitted_ += shared;
  }
  octets_sent_ += shared;
  last_sent_at_ = env.now;
  if (shared > 0) ack_policy_.data_sent(env.now);
  if (retransmit_at_ == never) retransmit_at_ = env.now + rto(env);
  settle_flight(env);
  after_ack_sent();
  emit(env, std::move(packet), h, shared > mss_ ? mss_ : std::uint16_t{0}, why);
  return true;
}

// Zero-window probe and keep-alive: SND.UNA - 1, no text, or one octet of garbage (MAY-6).
void Connection::send_probe(Env& env) {
  const bool probe = probe_owed_;
  probe_owed_ = keep_alive_owed_ = false;
  const bool garbage = !probe && options_.keep_alive_octet;
  send_bare(env, snd_.una - 1, {.ack = true},
            probe ? Reason::send_zero_window_probe : Reason::send_keep_alive, garbage ? 1 : 0);
}

// One cumulative ACK (MUST-58, MUST-59); as many duplicates as the peer needs to count, if it has
// no SACK (RFC 5681 §4.2).
void Connection::send_acks(Env& env) {
  if (!ack_owed_) return;
  const int count = use_sack_ ? 1 : std::max<int>(1, duplicate_acks_owed_);
  const Reason why = ack_reason_;
  for (int i = 0; i < count; ++i) send_bare(env, seq_without_text(), {.ack = true}, why);
}

// SEG.SEQ of what carries no text. It must lie in the peer's window, which may have shrunk below
// what is in flight (MUST-34): then it is the window's right edge, as in Linux. A scaled window is
// rounded down, so that an edge short of SND.NXT by less than its unit has not moved.
Seq Connection::seq_without_text() const {
  const Seq edge = snd_.una + snd_.wnd;
  const std::uint32_t rounded = snd_.wnd > 0 ? (1u << send_scale_) - 1 : 0;
  return syn_acked_ && edge + rounded < snd_.nxt ? edge : snd_.nxt;
}

void Connection::send_bare(Env& env, Seq seq, wire::Flags flags, Reason why,
                           std::uint32_t garbage) {
  Packet packet = env.pool.allocate_gather();
  if (!packet) return env.log.counters().count(Reason::no_memory);
  if (garbage > 0) {
    packet = env.pool.allocate(garbage);
    if (!packet) return;
    packet.linear()[0] = std::byte{0};
  }
  wire::TcpHeader h = header(env, seq, flags);
  if (flags.ack) after_ack_sent();
  emit(env, std::move(packet), h, 0, why);
}

wire::TcpHeader Connection::header(Env& env, Seq seq, wire::Flags flags) {
  wire::TcpHeader h{.source = flow_.local.port,
                    .destination = flow_.remote.port,
                    .seq = seq,
                    .ack = flags.ack ? rcv_.nxt : Seq{},
                    .flags = flags,
                    .window = 0,
                    .urgent = 0,
                    .options = {}};
  if (flags.syn) return h;
  // RFC 7323 §3.2: on a reset they should be; one without ACK answers what is not ours.
  if (use_timestamps_ && flags.ack)
    h.options.timestamps = {timestamp_at(env.now) + ts_offset_, ts_recent_};
  if (flags.rst) return h;
  h.window = advertise(env);
  if (send_urgent_ && seq < snd_.up) {  // On ACKs and probes too: a shut window hides no urgency.
    h.flags.urg = true;
    h.urgent = std::uint16_t(std::min<std::uint32_t>(distance(seq, snd_.up), 65535));
  }
  if (use_sack_ && (reassembly_ || dsack_owed_)) {
    add_sack(h.options);
    dsack_owed_ = false;
  }
  return h;
}

// RFC 2018 §4, RFC 2883 §4: a D-SACK first, then the newest ranges.
void Connection::add_sack(wire::Options& options) {
  const std::size_t most = use_timestamps_ ? 3 : 4;
  if (dsack_owed_) options.sack[options.sack_count++] = dsack_;
  if (!reassembly_) return;
  if (dsack_owed_) reassembly_->touch(dsack_.begin);  // The range that holds it comes next.
  const auto rest = std::span{options.sack}.subspan(options.sack_count, most - options.sack_count);
  options.sack_count += std::uint8_t(reassembly_->blocks(rest));
}

void Connection::emit(Env& env, Packet packet, wire::TcpHeader h, std::uint16_t segment_size,
                      Reason why) {
  if (!packet) return env.log.counters().count(Reason::no_memory);
  wire::emit_tcp(h, packet.push_front(wire::tcp_size(h)));
  env.below.output(std::move(packet), {.flow = flow_,
                                       .hop_limit = options_.hop_limit,
                                       .dscp = options_.dscp,
                                       .segment_size = segment_size,
                                       .before = state_,
                                       .after = state_,
                                       .reason = why,
                                       .reset = h.flags.rst});
}

void Connection::after_ack_sent() {
  ack_owed_ = false;
  duplicate_acks_owed_ = 0;
  ack_reason_ = Reason::send_ack;
  ack_at_ = never;
  ack_policy_.acknowledged();
  rcv_.acked = rcv_.nxt;
}

// --- Windows and sizes ------------------------------------------------------------------------

// Octets that the window may offer at the most: the buffer, as far as the field can say it; past
// the budget, no more than the reserve (design: budgets).
std::uint32_t Connection::receive_limit(const Env& env) const {
  const std::uint32_t limit = std::min(options_.receive_buffer, 65535u << receive_scale_);
  return env.memory.has_room(mss_) ? limit : std::min(limit, env.config.memory_reserve / 4);
}

// What the program's unread text leaves of it.
std::uint32_t Connection::receive_space(const Env& env) const {
  const std::uint32_t unread = receive_queue_.size(), limit = receive_limit(env);
  return limit > unread ? limit - unread : 0;
}

// The window field. RCV.NXT + RCV.WND moves right, never left, and by no silly step (SHLD-14,
// MUST-39); what the field's unit rounds up is granted.
std::uint16_t Connection::advertise(Env& env) {
  const std::uint32_t now = rcv_.wnd(), space = receive_space(env);
  const std::uint32_t step = std::min<std::uint32_t>(receive_limit(env) / 2, receive_mss_);
  const std::uint32_t unit = 1u << receive_scale_;
  std::uint32_t field = (now + unit - 1) >> receive_scale_;
  if (space >= now + step) field = std::max(field, space >> receive_scale_);
  field = std::min(field, 65535u);
  rcv_.edge = later(rcv_.edge, rcv_.nxt + (field << receive_scale_));
  return std::uint16_t(field);
}

// The program has read: tell the peer once the window would double (Linux), so that reading a
// little never draws an ACK for itself.
void Connection::open_window(Env& env) {
  const std::uint32_t now = rcv_.wnd(), space = receive_space(env), limit = receive_limit(env);
  if (now > limit / 2 || space < 2 * now) return;
  if (space < now + std::min<std::uint32_t>(limit / 2, receive_mss_)) return;
  owe_ack_now(env, Reason::send_window_update);
}

std::uint16_t Connection::advertised_mss(const Env& env) const {
  return mss_for_mtu(env.below.path_mtu(flow_.remote.address), flow_.remote.address);
}

// MUST-16: the smaller of what the peer takes and what the path carries, less our options.
void Connection::update_mss(Env& env) {
  const Config& config = env.config;
  const std::uint16_t path = advertised_mss(env);
  const std::uint16_t peer = std::max(
      peer_mss_ == 0 ? default_mss(flow_.remote.address) : peer_mss_, config.smallest_send_mss);
  mss_ = std::uint16_t(std::min(path, peer) - (use_timestamps_ ? 12 : 0));
}

}  // namespace estab::tcp
