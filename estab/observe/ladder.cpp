// SPDX-License-Identifier: Apache-2.0
#include "estab/observe/ladder.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "estab/observe/ladder_label.hpp"

namespace estab::observe {
namespace {

// A program's CLOSE and the FIN that it causes are two moments, and one rung all the same.
constexpr Duration together = 10ms;
constexpr std::size_t most_flows = 256;  // Followed at once; the oldest is forgotten first.

bool lost_below(Reason reason) {
  return reason == Reason::fault_lost || reason == Reason::fault_corrupted ||
         reason == Reason::device_full;
}

bool tells(const Event& packet, const Event& transition) {
  if (packet.flow.local != transition.flow.local) return false;
  return packet.at == transition.at ||
         (packet.kind == EventKind::sent && packet.at - transition.at < together);
}

bool same_segment(const Segment& a, const Segment& b) {
  return a.source == b.source && a.tcp.seq == b.tcp.seq && a.tcp.ack == b.tcp.ack &&
         a.tcp.flags == b.tcp.flags && a.text == b.text;
}

bool opens(const Event& event, const Segment* segment) {
  return event.kind != EventKind::sent && segment && segment->tcp.flags.syn &&
         !segment->tcp.flags.ack && segment->destination == event.flow.local;
}

Tone tone_of(const Event& event, const wire::Flags& flags) {
  if (flags.rst) return Tone::trouble;
  if (event.kind == EventKind::sent && remarkable(event.reason)) return Tone::again;
  if (flags.syn) return Tone::opening;
  return flags.fin ? Tone::closing : Tone::plain;
}

}  // namespace

Ladder::Ladder(const LadderStyle& style, Witness witness, Sink sink)
    : style_(style), witness_(witness), page_(style, std::move(sink)) {}

void Ladder::event(const Event& event, Bytes packet) {
  order_.take(event, packet, [this](const Event& e, Bytes p) { draw(e, p); });
}

void Ladder::draw(const Event& event, Bytes packet_bytes) {
  if (event.kind == EventKind::transition && event.flow.remote == Endpoint{})
    return note_listener(event);
  if (event.kind == EventKind::first_text) return;  // The segment that brings it tells.
  const auto segment = read_segment(event, packet_bytes);
  if (event.length > 0 && !segment && event.kind != EventKind::dropped) return;
  if (!start_) start_ = event.at;
  for (auto& view : flows_)
    std::erase_if(view.transitions, [&](const Event& t) {
      return event.at - t.at >= together && (draw_transition(view, t), true);
    });
  switch (event.kind) {
    case EventKind::transition: return view_of(event, nullptr).transitions.push_back(event);
    case EventKind::first_text: return;
    case EventKind::received:
    case EventKind::dropped:
    case EventKind::sent:
      if (segment) return packet(event, *segment);
      release();
      return page_.note(event.at - *start_, "dropped: " + reason_text(event.reason), Tone::trouble);
  }
}

void Ladder::packet(const Event& event, const Segment& segment) {
  auto& view = view_of(event, &segment);
  if (lost_below(event.reason)) return lost(view, event, segment);
  settle(view, &event);
  if (event.kind == EventKind::sent) sent(view, event, segment);
  else arrived(view, event, segment);
}

// What a link does to a packet says nothing of states.
void Ladder::lost(FlowView& view, const Event& event, const Segment& segment) {
  if (!is_held(view, segment)) {
    release();
    held_ = Held{&view, event.at, segment, rung_of(view, event, segment)};
  }
  view.departed[view.tracker.end_of(segment.source)].reset();
  held_->rung.reach = Reach::lost;
  held_->rung.remarks.push_back(reason_text(event.reason));
  held_->rung.remark_tone = Tone::trouble;
  release();
}

void Ladder::sent(FlowView& view, const Event& event, const Segment& segment) {
  release();
  view.tracker.event(event, &segment);
  Rung rung = rung_of(view, event, segment);
  rung.reach = witness_ == Witness::both_ends ? Reach::departing : Reach::whole;
  tell(view, event, rung);
  held_ = Held{&view, event.at, segment, std::move(rung)};
}

void Ladder::arrived(FlowView& view, const Event& event, const Segment& segment) {
  const bool held = is_held(view, segment) && !crosses_held(view, event);
  if (!held) release();
  view.tracker.event(event, &segment);
  Rung rung = held ? std::exchange(held_, {})->rung : rung_of(view, event, segment);
  if (event.kind == EventKind::dropped) rung.reach = Reach::refused;
  else if (held || witness_ == Witness::one_end) rung.reach = Reach::whole;
  else rung.reach = Reach::arriving;
  view.departed[view.tracker.end_of(segment.source)].reset();
  tell(view, event, rung);
  page_.rung(rung);
}

Rung Ladder::rung_of(const FlowView& view, const Event& event, const Segment& s) const {
  auto [words, details] = label_of(s, view.tracker);
  Rung rung;
  rung.time = event.at - *start_;
  rung.flow = view.number;
  rung.rightwards = (view.tracker.end_of(s.source) == 0) != view.mirrored;
  rung.words = std::move(words);
  rung.details = std::move(details);
  rung.tone = tone_of(event, s.tcp.flags);
  return rung;
}

void Ladder::enter(FlowView& view, int end, FlowTracker::View entered, Rung& rung) const {
  if (view.shown[end] == entered.state) return;
  view.shown[end] = entered.state;
  rung.states[(end == 0) == view.mirrored].push_back(entered.inferred
                                                         ? fmt::format("({})", name(entered.state))
                                                         : std::string{name(entered.state)});
}

// The states that this packet led to, at the end that speaks and, inferred, at the other; and why.
void Ladder::tell(FlowView& view, const Event& event, Rung& rung) const {
  const int end = view.tracker.end_of(event.flow.local);
  for (const auto& t : std::exchange(view.transitions, {})) {
    enter(view, view.tracker.end_of(t.flow.local), {t.after}, rung);
    if (style_.explain) rung.remarks.push_back(full_reason(t.reason));
  }
  enter(view, end, {event.after}, rung);
  if (witness_ == Witness::one_end)
    if (const auto other = view.tracker.view(1)) enter(view, 1, *other, rung);
  remark(rung, event);
}

void Ladder::remark(Rung& rung, const Event& event) const {
  const bool dropped = event.kind == EventKind::dropped;
  const bool plain = style_.explain ? event.reason == Reason::none : !remarkable(event.reason);
  if (plain && !dropped) return;
  std::string remark = (dropped ? "dropped: " : "") + reason_text(event.reason);
  if (std::ranges::find(rung.remarks, remark) == rung.remarks.end())
    rung.remarks.push_back(std::move(remark));
  if (dropped) rung.remark_tone = Tone::trouble;
}

bool Ladder::is_held(const FlowView& view, const Segment& s) const {
  return held_ && held_->view == &view && same_segment(held_->segment, s);
}

// Whether something of the receiver's was still on its way when the held segment left: then one
// whole arrow would hide that the two crossed.
bool Ladder::crosses_held(const FlowView& view, const Event& arrival) const {
  const auto& other = view.departed[view.tracker.end_of(arrival.flow.local)];
  return other && *other + (arrival.at - held_->at) >= held_->at;
}

// Draws the transitions that `next` does not tell; all, where there is no next.
void Ladder::settle(FlowView& view, const Event* next) {
  std::erase_if(view.transitions, [&](const Event& t) {
    if (next && tells(*next, t)) return false;
    draw_transition(view, t);
    return true;
  });
}

void Ladder::draw_transition(FlowView& view, const Event& transition) {
  release();
  view.tracker.event(transition, nullptr);
  Rung rung;
  rung.time = transition.at - *start_;
  rung.flow = view.number;
  rung.remarks.push_back(reason_text(transition.reason));
  rung.remark_tone = Tone::faint;
  enter(view, view.tracker.end_of(transition.flow.local), {transition.after}, rung);
  page_.rung(rung);
}

void Ladder::release() {
  if (!held_) return;
  auto& view = *held_->view;
  const auto sender = view.tracker.end_of(held_->segment.source);
  if (held_->rung.reach == Reach::departing) view.departed[sender] = held_->at;
  page_.rung(std::exchange(held_, {})->rung);
}

void Ladder::flush() {
  order_.release([this](const Event& e, Bytes p) { draw(e, p); });
  for (auto& view : flows_) settle(view, nullptr);
  release();
}

Ladder::FlowView& Ladder::view_of(const Event& event, const Segment* s) {
  Flow flow = event.flow;
  if (flow == Flow{} && s)
    flow = event.kind == EventKind::sent ? Flow{s->source, s->destination}
                                         : Flow{s->destination, s->source};
  const bool either_way = witness_ == Witness::both_ends || lost_below(event.reason);
  for (auto& view : flows_)
    if (view.tracker.flow() == flow || (either_way && view.tracker.flow() == flow.reversed()))
      return view;
  return begin_flow(event, flow, s);
}

Ladder::FlowView& Ladder::begin_flow(const Event& event, const Flow& flow, const Segment* s) {
  release();
  if (flows_.size() == most_flows) {
    settle(flows_.front(), nullptr);
    flows_.pop_front();
  }
  const bool peer_opens =
      opens(event, s) || (event.before == State::listen && event.after == State::syn_received);
  auto& view = flows_.emplace_back(FlowView{.tracker = {flow, witness_},
                                            .number = ++flows_begun_,
                                            .mirrored = style_.opener_left && peer_opens});
  if (view.number == 1 && witness_ == Witness::one_end)
    page_.note({}, "States in brackets are inferred from what the other end sends.", Tone::faint);
  if (view.number == 2) page_.show_flows();
  draw_start(view, event);
  return view;
}

void Ladder::draw_start(FlowView& view, const Event& event) {
  const auto& [local, remote] = view.tracker.flow();
  if (view.mirrored) page_.heading(view.number, title(remote), title(local));
  else page_.heading(view.number, title(local), title(remote));
  if (lost_below(event.reason)) return;
  Rung rung;
  rung.flow = view.number;
  enter(view, 0, {event.before}, rung);
  // Where both ends tell all, an end that has said nothing has nothing but perhaps a listener.
  const bool from_the_start = event.before == State::closed || event.before == State::listen;
  if (witness_ == Witness::both_ends && from_the_start)
    enter(view, 1, {listens(remote) ? State::listen : State::closed}, rung);
  page_.rung(rung);
}

void Ladder::note_listener(const Event& transition) {
  const auto& end = transition.flow.local;
  if (transition.after == State::listen) listening_.push_back(end);
  else if (transition.before == State::listen) std::erase(listening_, end);
}

bool Ladder::listens(const Endpoint& end) const {
  return std::ranges::any_of(listening_, [&](const Endpoint& l) {
    return l.port == end.port && (l.address == end.address || l.address.is_unspecified());
  });
}

std::string Ladder::title(const Endpoint& end) const {
  for (const auto& [address, name] : style_.names)
    if (address == end.address) return name + " " + end.to_string();
  return end.to_string();
}

std::string Ladder::reason_text(Reason reason) const {
  return style_.explain ? full_reason(reason) : short_reason(reason);
}

}  // namespace estab::observe
