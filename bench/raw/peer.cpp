// SPDX-License-Identifier: Apache-2.0
#include "peer.hpp"

#include <algorithm>
#include <array>

namespace estab::raw {
namespace {

using namespace std::chrono_literals;

constexpr std::uint16_t mss = 1460;        // Of a device with an MTU of 1500, for IPv4.
constexpr std::uint32_t slow_rate = 1024;  // Bytes a second.
constexpr std::uint8_t scale = 7;
constexpr std::uint32_t hole_distance = 100;  // Bytes between the request and the lone byte.

bool takes_all(PeerKind kind) { return kind == PeerKind::get || kind == PeerKind::hole; }

}  // namespace

std::string_view to_string(PeerKind kind) {
  static constexpr std::array<std::string_view, 6> names{"get",  "hole",   "hold",
                                                         "slow", "vanish", "close"};
  return names[std::size_t(kind)];
}

Peer::Peer(const PeerSettings& settings, const Endpoint& local, const Endpoint& server,
           std::uint32_t isn)
    : settings_(settings), local_(local), server_(server), isn_(isn), una_(isn), nxt_(isn) {}

Segment Peer::segment(std::uint8_t flags, Time now) const {
  Segment s{.from = local_, .to = server_, .sequence = nxt_, .flags = flags};
  const bool is_syn = (flags & syn) != 0;
  if ((flags & ack) != 0) s.acknowledgment = peer_nxt_;
  const std::uint32_t window = is_syn ? settings_.window : edge_ - peer_nxt_;
  // The window of a SYN is not scaled (RFC 7323 §2.2).
  const unsigned shift = is_syn || !takes_all(settings_.kind) ? 0 : scale;
  s.window = std::uint16_t(std::min<std::uint32_t>(window >> shift, 65535));
  if (is_syn ? settings_.timestamps : timestamps_) {
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch());
    s.timestamps = {std::uint32_t(ms.count()), peer_timestamp_};
  }
  return s;
}

std::string Peer::request() const {
  // What is kept alive takes another way through a server than what is to be closed.
  const std::string_view keep = settings_.kind == PeerKind::hold ? "keep-alive" : "close";
  return "GET " + settings_.path + " HTTP/1.1\r\nHost: estab\r\nConnection: " + std::string(keep) +
         "\r\n\r\n";
}

void Peer::open(Time now, const Send& send) {
  if (opened_ == Time{}) opened_ = progress_ = now;
  again_ = now + patience_;
  auto s = segment(syn, now);
  s.mss = local_.address.is_v4() ? mss : mss - 20;
  s.sack_permitted = true;
  s.scale = takes_all(settings_.kind) ? scale : 0;
  s.timestamps = settings_.timestamps ? s.timestamps : std::nullopt;
  send(s);
}

void Peer::send_request(Time now, const Send& send) {
  again_ = now + patience_;
  const auto text = request();
  auto s = segment(psh | ack, now);
  s.sequence = una_;
  s.text = text;
  send(s);
  nxt_ = una_ + std::uint32_t(text.size());
  if (settings_.kind != PeerKind::hole) return;
  s.sequence = nxt_ + hole_distance;
  s.text = "x";
  send(s);
}

void Peer::send_ack(Time now, const Send& send) { send(segment(ack, now)); }

void Peer::send_fin_again(Time now, const Send& send) {
  again_ = now + 4s;
  auto s = segment(fin | ack, now);
  s.sequence = nxt_ - 1;
  send(s);
}

void Peer::finish(PeerState state, Time now) {
  state_ = state;
  finished_ = now;
}

void Peer::receive(const Segment& s, Time now, const Send& send) {
  if (state_ == PeerState::ended && s.has(fin)) return send_fin_again(now, send);
  if (vanished_ || has_gone()) return;
  if (state_ == PeerState::waiting) {
    if (s.has(rst)) return finish(PeerState::reset, now);
    if (!s.has(syn) || !s.has(ack) || s.acknowledgment != isn_ + 1) return;
    una_ = nxt_ = isn_ + 1;
    peer_nxt_ = s.sequence + 1;
    edge_ = peer_nxt_ + settings_.window;
    timestamps_ = s.timestamps.has_value();
    if (timestamps_) peer_timestamp_ = s.timestamps->value;
    state_ = PeerState::asking;
    patience_ = 1s;
    return send_request(now, send);
  }
  if (s.has(rst)) return finish(PeerState::reset, now);
  if (s.timestamps && after(s.sequence, peer_nxt_) <= 0) peer_timestamp_ = s.timestamps->value;
  if (s.has(ack) && after(s.acknowledgment, una_) > 0 && after(s.acknowledgment, nxt_) <= 0) {
    una_ = s.acknowledgment;
    if (state_ == PeerState::asking) state_ = PeerState::open;
    if (settings_.kind == PeerKind::vanish) {
      vanished_ = true;
      return;
    }
  }
  if (s.length() > 0 || after(s.sequence, peer_nxt_) < 0) {  // Or a probe of keep-alive's kind.
    take(s, now);
    if (settings_.kind == PeerKind::close && !shut_ && edge_ == peer_nxt_) {
      shut_ = true;
      ++nxt_;
      return send_fin_again(now, send);
    }
    if (state_ != PeerState::ended) return send_ack(now, send);
    ++nxt_;  // Its end is answered with ours.
    send_fin_again(now, send);
  }
}

// What is in order and fits the window.
void Peer::take(const Segment& s, Time now) {
  const auto known = -after(s.sequence, peer_nxt_);
  if (known < 0 || std::size_t(known) > s.text.size()) return;  // Behind a hole; or old.
  const auto fresh = std::uint32_t(s.text.size()) - std::uint32_t(known);
  const auto taken = std::min(fresh, edge_ - peer_nxt_);
  if (taken > 0) progress_ = now;
  peer_nxt_ += taken;
  bytes_ += taken;
  unread_ += taken;
  if (takes_all(settings_.kind)) unread_ = 0;
  open_window();
  if (s.has(fin) && taken == fresh) {
    ++peer_nxt_;
    ++edge_;
    finish(PeerState::ended, now);
  }
}

// A slow reader's window opens by a segment, or by half of its room (RFC 9293 §3.8.6.2.2).
void Peer::open_window() {
  if (!takes_all(settings_.kind) && settings_.kind != PeerKind::slow) return;
  const auto edge = peer_nxt_ + settings_.window - unread_;
  if (after(edge, edge_) >= std::int32_t(std::min<std::uint32_t>(mss, settings_.window / 2)))
    edge_ = edge;
}

void Peer::read(Time now) {
  if (read_at_ == Time{}) read_at_ = now;
  while (now - read_at_ >= 250ms) {
    unread_ -= std::min(unread_, slow_rate / 4);
    read_at_ += 250ms;
  }
}

void Peer::tick(Time now, const Send& send) {
  if (vanished_ || has_gone()) return;
  const bool due = now >= again_;
  switch (state_) {
    case PeerState::waiting:
      if (!due) return;
      patience_ = std::min<std::chrono::seconds>(patience_ * 2, 16s);
      return open(now, send);
    case PeerState::asking:
      if (due) send_request(now, send);
      return;
    case PeerState::open: {
      if (shut_ && due && una_ != nxt_) send_fin_again(now, send);
      if (settings_.kind != PeerKind::slow) return;
      read(now);
      const auto before = edge_;
      open_window();
      if (edge_ != before) send_ack(now, send);
      return;
    }
    case PeerState::ended:
    case PeerState::reset: return;
  }
}

}  // namespace estab::raw
