// SPDX-License-Identifier: Apache-2.0
#include "estab/observe/tracker.hpp"

#include <fmt/format.h>

namespace estab::observe {

void FlowTracker::event(const Event& event, const Segment* segment) {
  if (event.kind != EventKind::first_text) truth_[end_of(event.flow.local)] = event.after;
  if (segment == nullptr) return;
  const int sender = end_of(segment->source);
  // With both witnesses a segment was numbered when it left. What was not taken proves nothing of
  // the peer, who may not have sent it; but the first SYN is where the picture starts.
  const bool first = segment->tcp.flags.syn && opener_ < 0;
  const bool counts = event.kind == EventKind::sent || first ||
                      (witness_ == Witness::one_end && event.kind == EventKind::received);
  if (!counts) return;
  number_segment(sender, *segment);
  if (sender == 0) we_sent(*segment);
  else peer_sent(*segment);
}

void FlowTracker::number_segment(int sender, const Segment& s) {
  const auto& [syn, ack, rst] = std::tuple{s.tcp.flags.syn, s.tcp.flags.ack, s.tcp.flags.rst};
  // A new SYN with a new number begins the flow anew.
  if (syn && !ack && first_[sender] && *first_[sender] != s.tcp.seq) {
    first_ = {};
    peer_ = {};
    opener_ = -1;
  }
  if (rst) return;
  if (syn) first_[sender] = s.tcp.seq;
  if (opener_ < 0) opener_ = syn && ack ? 1 - sender : sender;
  if (!first_[sender]) first_[sender] = s.tcp.seq - 1;
  if (ack && !first_[1 - sender]) first_[1 - sender] = s.tcp.ack - 1;
}

void FlowTracker::peer_sent(const Segment& s) {
  const auto& flags = s.tcp.flags;
  if (flags.rst) {
    peer_.reset = true;
    return;
  }
  if (flags.syn) peer_.syn = true, peer_.got_syn |= flags.ack;
  else peer_.synchronised = true;
  if (flags.ack) {
    if (peer_.our_fin_end && s.tcp.ack >= *peer_.our_fin_end) peer_.got_fin = true;
    if (peer_.ack_rides_to && s.tcp.ack >= *peer_.ack_rides_to) peer_.fin_acked = true;
  }
  if (!flags.fin) return;
  // The same FIN again: the ACK that we presumed to have arrived did not.
  if (peer_.fin) peer_.fin_acked = false;
  else peer_.fin = true, peer_.after_ours = peer_.got_fin;
  peer_.fin_end = s.end();
}

void FlowTracker::we_sent(const Segment& s) {
  const auto& flags = s.tcp.flags;
  if (flags.rst) {
    peer_.reset = true;
    return;
  }
  if (flags.fin) peer_.our_fin_end = s.end();
  if (!flags.ack) return;
  const bool bare = s.length() == 0;
  if (peer_.syn && bare) peer_.synchronised = true;
  if (!peer_.fin || s.tcp.ack < peer_.fin_end) return;
  if (bare) peer_.fin_acked = true;
  else peer_.ack_rides_to = s.end();
}

std::optional<State> FlowTracker::inferred() const {
  using enum State;
  const auto& p = peer_;
  if (p.reset) return closed;
  if (!p.synchronised) {
    if (!p.syn) return {};
    return p.got_syn ? syn_received : syn_sent;
  }
  if (!p.fin) return p.got_fin ? close_wait : established;
  if (p.after_ours) return p.fin_acked ? closed : last_ack;
  if (p.got_fin) return p.fin_acked ? time_wait : closing;
  return p.fin_acked ? fin_wait_2 : fin_wait_1;
}

std::optional<FlowTracker::View> FlowTracker::view(int end) const {
  if (end == 0 || witness_ == Witness::both_ends) {
    if (!truth_[end]) return {};
    return View{*truth_[end], false};
  }
  const auto state = inferred();
  if (!state) return {};
  return View{*state, true};
}

std::string FlowTracker::number(int end, Seq seq) const {
  if (!first_[end]) return std::to_string(seq.raw());
  const char letter = end == opener_ ? 'J' : 'K';
  const auto offset = distance(*first_[end], seq);
  if (offset == 0) return std::string(1, letter);
  // Numbers before the first one are rare and near; those after it may go all the way round.
  constexpr std::uint32_t before = 0xffff0000;
  if (offset >= before) return fmt::format("{}-{}", letter, -offset);
  return fmt::format("{}+{}", letter, offset);
}

}  // namespace estab::observe
