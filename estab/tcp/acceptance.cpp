// SPDX-License-Identifier: Apache-2.0
// What RFC 9293 §3.10.7.4 asks of a segment, and what its checks let it change: timestamps (RFC
// 7323), the window, the ACK field (RFC 5961), duplicates (RFC 2883). Whoever guesses only the
// four numbers of a connection must change nothing, so that TS.Recent and a D-SACK come last.
#include "estab/tcp/connection.hpp"
#include "estab/tcp/isn.hpp"

namespace estab::tcp {
using enum State;

// RFC 7323 §5.3, R1; a RST is exempt. A SYN draws the challenge that it would draw anyhow.
Connection::Outcome Connection::check_paws(Env& env, const Segment& seg) {
  if (!use_timestamps_ || seg.flags.rst) return next;
  if (!seg.options.timestamps)
    return env.config.require_timestamps && !seg.flags.syn ? done(Reason::timestamp_missing) : next;
  const auto age = std::int32_t(seg.options.timestamps->value - ts_recent_);
  // §5.5: after 24 days TS.Recent is no longer valid. Some peers say 0 on their SYN and a true
  // value afterwards: 0 is none, as in Linux.
  const bool stale = seconds_at(env.now) - ts_recent_s_ > std::uint32_t{24} * 24 * 3600;
  if (age >= 0 || stale || ts_recent_ == 0) return next;
  if (seg.flags.syn) return done(challenge(env, Reason::syn_challenged));
  return done(answer_unacceptable(env, Reason::paws));
}

// RFC 7323 §4.3: what reaches over the last ACK sent sets TS.Recent. The segment has passed every
// check, and its ACK is not below SND.UNA (as in Linux): blind segments do not get here.
void Connection::update_timestamp(Env& env, const Segment& seg) {
  if (!use_timestamps_) return;
  if (!seg.options.timestamps) return env.log.counters().count(Reason::timestamp_missing);
  if (seg.ack < snd_.una || rcv_.acked < seg.came) return;
  ts_recent_ = seg.options.timestamps->value;
  ts_recent_s_ = seconds_at(env.now);
}

// The four cases of the acceptability table. And, as Linux, an ACK alone at the window's right
// edge: that is where the peer stands when it has filled the window behind a hole.
bool Connection::acceptable(const Segment& seg) const {
  const auto in_window = [&](Seq s) { return rcv_.nxt <= s && s < rcv_.edge; };
  const std::uint32_t len = seg.len();
  if (len == 0 && seg.seq == rcv_.edge && !seg.flags.rst) return true;
  if (len == 0) return rcv_.wnd() == 0 ? seg.seq == rcv_.nxt : in_window(seg.seq);
  return rcv_.wnd() > 0 && (in_window(seg.seq) || in_window(seg.seq + (len - 1)));
}

// "The idealized segment that begins at RCV.NXT and does not exceed the window."
void Connection::trim_to_window(Segment& seg) const {
  const std::uint32_t part = seg.packet ? seg.packet.offload().segment_size : 0;
  seg.size = part > 0 ? std::min(part, seg.text) : seg.text;
  if (seg.seq < rcv_.nxt) {
    const std::uint32_t old = distance(seg.seq, rcv_.nxt);
    const std::uint32_t cut = std::min(old, seg.text);
    if (cut > 0) seg.packet.pull_front(cut);
    seg.text -= cut;
    seg.up = std::uint16_t(seg.up > old ? seg.up - old : 0);
    seg.seq = rcv_.nxt;
  }
  const std::int32_t over = seg.end() - rcv_.edge;
  if (over <= 0) return;
  auto cut = std::uint32_t(over);
  if (seg.flags.fin) seg.flags.fin = false, --cut;
  seg.text -= std::min(cut, seg.text);
  if (seg.packet) seg.packet.truncate(seg.text);
}

// RFC 5961 §3.2: only the exact RCV.NXT resets. Some peers reset with the number of the FIN that
// they sent just before: that is taken too, as in Linux.
bool Connection::resets(const Segment& seg) const {
  return seg.seq == rcv_.nxt || (is(close_wait | closing | last_ack) && seg.seq == rcv_.nxt - 1);
}

// RFC 5961 §5.2: why the ACK field is not taken. It may be old by the largest window that the peer
// ever offered, and by no more than what was ever acknowledged (ghost ACKs).
Reason Connection::refusal_of_ack(const Segment& seg) const {
  if (!seg.flags.ack) return Reason::no_ack;
  std::uint32_t back = snd_.max_wnd;
  // SND.UNA has not come round yet: its distance from the ISN counts.
  if (octets_sent_ - octets_retransmitted_ < 1u << 31)
    back = std::min(back, distance(snd_.iss + 1, snd_.una));
  if (seg.ack < snd_.una - back) return Reason::ack_too_old;
  return seg.ack > snd_.nxt ? Reason::ack_not_sent : Reason::none;
}

// RFC 2883 §4: of a segment that brings again what we have, the first part that is a duplicate.
void Connection::note_duplicate(const Segment& seg) {
  if (seg.came < rcv_.nxt) return note_duplicate(seg.came, rcv_.nxt);
  if (!reassembly_ || seg.text == 0) return;
  if (const auto part = reassembly_->held(seg.seq, seg.seq + seg.text))
    note_duplicate(part->begin, part->end);
}

void Connection::note_duplicate(Seq begin, Seq end) {
  if (!use_sack_ || state_ == time_wait) return;
  // What lies before all that was ever received is no duplicate.
  if (begin < rcv_.nxt && distance(begin, rcv_.nxt) > octets_received_ + (peer_fin_ ? 1 : 0))
    return;
  if (dsack_owed_ && begin <= dsack_.end && dsack_.begin <= end)  // Of one batch: one block.
    begin = earlier(begin, dsack_.begin), end = later(end, dsack_.end);
  dsack_ = {begin, end};
  dsack_owed_ = true;
}

}  // namespace estab::tcp
