// SPDX-License-Identifier: Apache-2.0
// What leaves: retransmissions, new text, FIN, probes, and the ACKs that nothing else carried.
#include "estab/tcp/connection.hpp"
#include "estab/tcp/isn.hpp"

namespace estab::tcp {
using enum State;

bool Connection::transmit(Env& env) {
  if (is(closed | listen)) return true;
  (void)refresh_path(env);
  if (!env.below.ready(path_)) return false;
  if (syn_owed_) send_syn(env);
  if (is(syn_sent)) return schedule(env), true;
  // §3.10.4: a FIN alone may follow our SYN-ACK; text waits until the handshake is done.
  const bool open = syn_acked_ || (fin_queued_ && send_queue_.size() == 0);
  if (open && state_ != time_wait) {
    cwnd_limited_ = false;
    bool room = true;
    while (room && (retransmit_one(env) || send_new(env))) room = env.below.ready(path_);
    if (flight_) flight_->use.sent(snd_.una, snd_.nxt, cwnd_limited_);
    if (!room) return schedule(env), false;
    wait_for_window(env);
    if (probe_owed_ || keep_alive_owed_) send_probe(env);
  }
  send_acks(env);
  schedule(env);
  return true;
}

// The path may carry more or less than before: someone learnt it, or what was learnt is too old.
bool Connection::refresh_path(Env& env) {
  if (!env.below.refresh(path_, flow_.remote.address)) return false;
  update_mss(env);
  return true;
}

void Connection::send_syn(Env& env) {
  syn_owed_ = false;
  const bool answering = state_ != syn_sent;
  wire::TcpHeader h = header(env, snd_.iss, {.syn = true, .ack = answering});
  // Never scaled on a SYN (RFC 7323 §2.2).
  h.window = answering ? std::uint16_t(std::min(rcv_.wnd(), 65535u))
                       : first_window(options_.receive_buffer, advertised_mss());
  const Config& config = env.config;
  // A SYN-ACK offers only what the SYN offered, as in Linux.
  h.options.mss = advertised_mss();
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
  if (!flight_ || flight_->scoreboard.empty()) return false;
  Scoreboard& board = flight_->scoreboard;
  const std::uint32_t most = std::max<std::uint32_t>(path_.gso_max, mss_);
  auto stretch = board.next_lost(most);
  Reason why = retransmit_reason_;
  if (!stretch && recovery_ == Recovery::fast && use_sack_ &&
      new_text_allowed(usual_cut().segment) == 0) {
    stretch = board.next_unsacked();  // RFC 6675 §4, NextSeg (3).
    why = Reason::retransmit_sack;
  }
  if (!stretch) return false;
  const std::uint32_t room = cwnd_room();
  if (room < mss_ && pipe() > 0 && !retransmit_at_once_) return cwnd_limited_ = true, false;
  // Where the window was shut over what is out, the first segment serves as a probe (as in Linux).
  const Seq edge = snd_.una + snd_.wnd;
  const bool probe = snd_.wnd == 0 && stretch->begin == snd_.una;
  if (!probe && edge <= stretch->begin) return false;
  std::uint32_t length = distance(stretch->begin, stretch->end);
  if (!probe) length = std::min(length, distance(stretch->begin, edge));
  const Cut cut = cut_for(length);
  // The first after a timeout goes alone, whatever cwnd says.
  const std::uint32_t largest = probe ? 0 : std::min<std::uint32_t>(room, path_.gso_max);
  length = std::min(length, std::max<std::uint32_t>(largest / cut.segment, 1) * cut.segment);
  retransmit_at_once_ = false;
  const Seq end = stretch->begin + length;
  const bool fin = fin_sent_ && end == snd_.nxt;
  return send_text(env, stretch->begin, length - (fin ? 1 : 0), fin, cut, why);
}

std::uint32_t Connection::pipe() const {
  if (!flight_) return 0;
  const std::uint32_t out = flight_->scoreboard.pipe();
  // Without SACK each duplicate ACK says that one segment has left (RFC 5681 §3.2, RFC 3042).
  const std::uint32_t left = use_sack_ ? 0 : flight_->duplicate_acks * mss_;
  return out > left ? out - left : 0;
}

std::uint32_t Connection::cwnd_room() const {
  const std::uint32_t out = pipe(), window = congestion_.cwnd();
  return window > out ? window - out : 0;
}

std::uint32_t Connection::usable_window() const {
  const std::int32_t usable = (snd_.una + snd_.wnd) - snd_.nxt;
  return usable > 0 ? std::uint32_t(usable)
                    : 0;  // SHLD-15: a shrunken window is not an invitation.
}

// Octets of new text that may leave in one packet now, in segments of so many: windows, then sender
// SWS avoidance and Nagle (§3.8.6.2.1, §3.7.4; MUST-38, SHLD-7). Nagle is Linux's, after Minshall:
// a partial segment waits for the ACK of the last partial one, not of everything.
std::uint32_t Connection::new_text_allowed(std::uint32_t segment) {
  const std::uint32_t unsent = snd_.nxt < text_end() ? distance(snd_.nxt, text_end()) : 0;
  const std::uint32_t usable = usable_window(), room = cwnd_room();
  const std::uint32_t largest = std::max(path_.gso_max / segment, 1u) * segment;
  std::uint32_t length = std::min({unsent, usable, largest});
  if (length == 0) return 0;
  if (room < length) cwnd_limited_ = true;
  if (room < std::min(length, segment)) return 0;
  length = std::min(length, room);

  const bool nagle = options_.nagle && snd_.una < small_;
  const bool urgent = send_urgent_ && snd_.nxt < snd_.up;
  const bool tail_may_go = length == unsent
                               ? fin_queued_ || urgent || (!more_ && !nagle)
                               : !nagle && length == usable && length >= snd_.max_wnd / 2;
  if (tail_may_go || override_sws_) return length;
  return length - length % segment;  // SHLD-28.
}

bool Connection::send_new(Env& env) {
  // RFC 5681 §4.1: after an idle RTO the window of yesterday says nothing.
  if (env.config.cwnd_idle_restart && !something_unacked() && something_unsent() &&
      env.now - last_sent_at_ > rto(env))
    congestion_.on_idle(mss_ * env.config.initial_window_segments);
  const Cut cut = usual_cut();
  const std::uint32_t text = new_text_allowed(cut.segment);
  const bool all = snd_.nxt + text == text_end();
  const bool fin = fin_queued_ && !fin_sent_ && all && usable_window() > text;
  if (text == 0 && !fin) return false;
  override_sws_ = false;
  const bool limited = flight_ && flight_->duplicate_acks > 0 && recovery_ == Recovery::none;
  if (!send_text(env, snd_.nxt, text, fin, cut,
                 limited    ? Reason::send_limited_transmit
                 : text > 0 ? Reason::send_text
                            : Reason::send_fin))
    return false;
  if (limited) flight_->limited_transmit += text;
  return true;
}

// Something is to be sent, but nothing is out that would bring an ACK: the timer sees to it.
void Connection::wait_for_window(Env& env) {
  if (!something_unsent() || something_unacked() || send_timer_ != SendTimer::none) return;
  if (usable_window() == 0) arm(SendTimer::persist, env.now + rto(env));
  else if (more_) arm(SendTimer::more, env.now + 200ms);
  else arm(SendTimer::override_sws, env.now + rto(env));
}

// One packet of text from the send queue, new or again; what finds no room in it goes in the next.
bool Connection::send_text(Env& env, Seq seq, std::uint32_t text, bool fin, Cut cut, Reason why) {
  const std::uint32_t segment = cut.segment;
  Packet packet = env.pool.allocate_gather();
  if (!packet) {
    env.log.counters().count(Reason::no_memory);
    if (send_timer_ == SendTimer::none) arm(SendTimer::retry, env.now + rto(env));
    return false;
  }
  std::uint32_t shared =
      text > 0 ? send_queue_.share(distance(text_begin(), seq), text, packet) : 0;
  if (shared < text) {
    if (shared > segment) shared -= shared % segment;
    packet.truncate(shared);
    fin = false;
  }
  const Seq end = seq + shared + (fin ? 1 : 0);
  const bool fresh = snd_.nxt < end;
  const bool pushed = shared > 0 && seq < push_ && push_ <= seq + shared;
  const bool last = shared > 0 && seq + shared == text_end() && !more_;
  wire::TcpHeader h =
      header(env, seq, {.fin = fin, .psh = pushed || last, .ack = true}, cut.blocks);
  if (h.flags.urg) h.flags.psh = true;
  if (fresh) {
    flight().scoreboard.sent(seq, end, segment, env.now);
    snd_.nxt = end;
    if (shared % segment != 0) small_ = seq + shared;
    fin_sent_ = fin_sent_ || fin;
  } else {
    flight().scoreboard.retransmitted(seq, end, env.now);
    octets_retransmitted_ += shared;
  }
  octets_sent_ += shared;
  last_sent_at_ = env.now;
  settle(env);
  if (shared > 0) ack_policy_.data_sent(env.now);
  // RFC 6298 §5.1; and the first hole, filled before its time, has a whole RTO again.
  const bool head = !fresh && seq == snd_.una && recovery_ == Recovery::fast;
  if (send_timer_ != SendTimer::syn && (send_timer_ != SendTimer::retransmit || head))
    arm(SendTimer::retransmit, env.now + rto(env));
  after_ack_sent();
  emit(env, std::move(packet), h, shared > segment ? std::uint16_t(segment) : std::uint16_t{0},
       why);
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
  for (int i = 0; i < count; ++i)
    if (!send_bare(env, seq_without_text(), {.ack = true}, why))
      return void(ack_at_ = env.now + env.config.delayed_ack);
}

// SEG.SEQ of what carries no text. It must lie in the peer's window, which may have shrunk below
// what is in flight (MUST-34): then it is the window's right edge, as in Linux. A scaled window is
// rounded down, so that an edge short of SND.NXT by less than its unit has not moved.
Seq Connection::seq_without_text() const {
  const Seq edge = snd_.una + snd_.wnd;
  const std::uint32_t rounded = snd_.wnd > 0 ? (1u << send_scale_) - 1 : 0;
  return syn_acked_ && edge + rounded < snd_.nxt ? edge : snd_.nxt;
}

bool Connection::send_bare(Env& env, Seq seq, wire::Flags flags, Reason why,
                           std::uint32_t garbage) {
  Packet packet = garbage > 0 ? env.pool.allocate(garbage) : env.pool.allocate_gather();
  if (!packet) return env.log.counters().count(Reason::no_memory), false;
  if (garbage > 0) packet.linear()[0] = std::byte{0};
  wire::TcpHeader h = header(env, seq, flags);
  if (flags.ack) after_ack_sent();
  emit(env, std::move(packet), h, 0, why);
  return true;
}

wire::TcpHeader Connection::header(Env& env, Seq seq, wire::Flags flags, std::size_t blocks) {
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
  add_sack(h.options, blocks);
  return h;
}

// Of at most so many SACK blocks, how many there are to be sent.
std::size_t Connection::sack_blocks(std::size_t most) const {
  if (!use_sack_) return 0;
  const std::size_t ranges = reassembly_ ? reassembly_->ranges() : 0;
  return std::min(
      {most, use_timestamps_ ? std::size_t{3} : most_sack_blocks, ranges + dsack_owed_});
}

// RFC 2018 §4, RFC 2883 §4: a D-SACK first, then the newest ranges.
void Connection::add_sack(wire::Options& options, std::size_t most) {
  const std::size_t blocks = sack_blocks(most);
  if (blocks == 0) return;
  if (dsack_owed_) {
    options.sack[options.sack_count++] = dsack_;
    if (reassembly_) reassembly_->touch(dsack_.begin);  // The range that holds it comes next.
  }
  dsack_owed_ = false;
  if (!reassembly_) return;
  const auto rest =
      std::span{options.sack}.subspan(options.sack_count, blocks - options.sack_count);
  options.sack_count += std::uint8_t(reassembly_->blocks(rest));
}

Connection::Cut Connection::usual_cut() const {
  const std::size_t blocks = sack_blocks(most_sack_blocks);
  return {mss_ - wire::sack_size(blocks), blocks};
}

// What fits into one segment is not cut for SACK blocks: those that find no room wait for the next
// ACK. Else a retransmission would leave a small rest behind.
Connection::Cut Connection::cut_for(std::uint32_t text) const {
  Cut cut = usual_cut();
  if (text > mss_) return cut;
  while (cut.segment < text) cut.segment = mss_ - wire::sack_size(--cut.blocks);
  return cut;
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
                                       .reset = h.flags.rst,
                                       .path = &path_});
}

void Connection::after_ack_sent() {
  ack_owed_ = false;
  duplicate_acks_owed_ = 0;
  ack_reason_ = Reason::send_ack;
  ack_at_ = never;
  ack_policy_.acknowledged();
  rcv_.acked = rcv_.nxt;
}

// --- Sizes ------------------------------------------------------------------------

// Of the interface: what was learnt of a path is of our way there, not of the peer's to us.
std::uint16_t Connection::advertised_mss() const {
  return mss_for_mtu(path_.interface_mtu, flow_.remote.address);
}

// MUST-16: the smaller of what the peer takes and what the path carries, less our options.
void Connection::update_mss(Env& env) {
  const Config& config = env.config;
  const std::uint16_t path = mss_for_mtu(path_.mtu, flow_.remote.address);
  const std::uint16_t peer = std::max(
      peer_mss_ == 0 ? default_mss(flow_.remote.address) : peer_mss_, config.smallest_send_mss);
  mss_ = std::uint16_t(std::min(path, peer) - (use_timestamps_ ? 12 : 0));
  congestion_.set_segment(mss_);
}

}  // namespace estab::tcp
