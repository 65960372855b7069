// SPDX-License-Identifier: Apache-2.0
// The ladder of the textbooks, drawn live from the event stream: an end a post, a segment an arrow,
// the ends' states in the margins as they change.
#pragma once
#include <deque>
#include <optional>

#include "estab/observe/event_order.hpp"
#include "estab/observe/ladder_page.hpp"
#include "estab/observe/tracker.hpp"

namespace estab::observe {

// Prints any number of flows, each under a heading of its own. Not thread-safe.
class Ladder {
 public:
  using Sink = LadderPage::Sink;
  // With one_end, events come from one stack and the peer's states are inferred, in brackets.
  // With both_ends, the events of both stacks come, merged by time; nothing is inferred, and a
  // segment whose arrival is not the very next event is drawn as two half arrows.
  Ladder(const LadderStyle& style, Witness witness, Sink sink);

  // As EventLog::drain gives them.
  void event(const Event& event, Bytes packet);
  // Prints what was held back to see what follows it: call it when nothing follows for now (with
  // both_ends: at the end, or segments on their way are drawn as halves).
  void flush();

 private:
  struct FlowView {
    FlowTracker tracker;
    unsigned number;
    bool mirrored;  // The tracker's end 0 stands on the right.
    std::array<std::optional<State>, 2> shown{};
    std::vector<Event> transitions{};  // Not drawn yet: a packet may come that tells them.
    // When an end's last half arrow left whose other half is yet to come.
    std::array<std::optional<Instant>, 2> departed{};
  };
  // A segment that was sent, waiting to see whether it is received next.
  struct Held {
    FlowView* view;
    Instant at;
    Segment segment;
    Rung rung;
  };

  void draw(const Event& event, Bytes packet);
  void packet(const Event& event, const Segment& segment);
  void lost(FlowView& view, const Event& event, const Segment& segment);
  void sent(FlowView& view, const Event& event, const Segment& segment);
  void arrived(FlowView& view, const Event& event, const Segment& segment);
  FlowView& view_of(const Event& event, const Segment* segment);
  FlowView& begin_flow(const Event& event, const Flow& flow, const Segment* segment);
  void draw_start(FlowView& view, const Event& event);
  [[nodiscard]] Rung rung_of(const FlowView& view, const Event& event, const Segment& s) const;
  void enter(FlowView& view, int end, FlowTracker::View entered, Rung& rung) const;
  void tell(FlowView& view, const Event& event, Rung& rung) const;
  void remark(Rung& rung, const Event& event) const;
  [[nodiscard]] bool is_held(const FlowView& view, const Segment& s) const;
  [[nodiscard]] bool crosses_held(const FlowView& view, const Event& arrival) const;
  void settle(FlowView& view, const Event* next);
  void draw_transition(FlowView& view, const Event& transition);
  void release();
  void note_listener(const Event& transition);
  [[nodiscard]] bool listens(const Endpoint& end) const;
  [[nodiscard]] std::string title(const Endpoint& end) const;
  [[nodiscard]] std::string reason_text(Reason reason) const;

  LadderStyle style_;
  Witness witness_;
  LadderPage page_;
  EventOrder order_;
  std::deque<FlowView> flows_;
  unsigned flows_begun_ = 0;
  std::vector<Endpoint> listening_;
  std::optional<Held> held_;
  std::optional<Instant> start_;  // Times are shown from here.
};

}  // namespace estab::observe
