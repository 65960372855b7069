// SPDX-License-Identifier: Apache-2.0
// What happened, as values: the one stream that captures, ladders, traces and tests are views of.
#pragma once
#include <utility>
#include <vector>

#include "estab/base/address.hpp"
#include "estab/base/packet.hpp"
#include "estab/base/time.hpp"
#include "estab/event/reason.hpp"
#include "estab/event/state.hpp"

namespace estab {

enum class EventKind : std::uint8_t {
  received,    // A packet came in and was taken; before and after: the state around it.
  dropped,     // A packet came in and was not taken, or only answered; the reason says why.
  sent,        // A packet went out.
  transition,  // before -> after, an arrow of Figure 5.
  first_text,  // A peer that opened has sent its first text: it is there, and wants something.
};

struct Event {
  Instant at{};
  EventKind kind{};
  Reason reason{};
  State before{}, after{};
  Flow flow;  // Seen from this stack; default where no flow could be read.
  std::uint8_t interface = 0;
  std::uint64_t offset = 0;  // Where EventLog keeps the packet's bytes.
  std::uint32_t length = 0;  // Bytes of the IP datagram; 0: no packet belongs to the event.
  std::uint32_t kept = 0;    // How many of them were kept.
};

// Collects events until somebody takes them; counts reasons always. Not thread-safe.
class EventLog {
 public:
  // `keep` is the most bytes kept of a packet; off by default, and then only counters run.
  void enable(std::uint32_t keep = 65535) { enabled_ = true, keep_bytes_ = keep; }
  void disable() { enabled_ = false, clear(); }
  [[nodiscard]] bool enabled() const { return enabled_; }

  // A packet that leaves. It is counted under `counted`, which for a reset is send_rst, whatever
  // cause the event names: that was counted where it arose.
  void packet(const Event& event, const Packet& packet, Reason counted) {
    counters_.count(counted);
    if (enabled_) keep(event, packet);
  }
  // An arriving packet is kept before it is taken apart, and settled when its fate is known.
  [[nodiscard]] std::size_t arrived(const Event& event, const Packet& packet) {
    if (enabled_) keep(event, packet);
    return events_.size();
  }
  void settle(std::size_t arrival, const Flow& flow, State before, State after, Reason reason);
  void note(const Event& event) {
    counters_.count(event.reason);
    if (enabled_) events_.push_back(event);
  }
  // The one door for changes of state: asserts the arrow (from listener records, connections and
  // TIME-WAIT records alike), counts and notes it.
  void transition(Instant at, const Flow& flow, State from, State to, Reason reason);

  // Calls f(const Event&, Bytes packet) for all that was collected, then forgets it.
  template <class F>
  void drain(F&& f) {
    for (const auto& event : events_) f(event, Bytes{bytes_}.subspan(event.offset, event.kept));
    clear();
  }
  [[nodiscard]] bool empty() const { return events_.empty(); }
  // After a burst the room that it took goes back.
  void clear() {
    constexpr std::size_t kept = 1 << 20;  // Bytes.
    if (bytes_.capacity() > kept) std::vector<std::byte>().swap(bytes_);
    if (events_.capacity() > kept / sizeof(Event)) std::vector<Event>().swap(events_);
    events_.clear(), bytes_.clear();
  }
  [[nodiscard]] const ReasonCounters& counters() const { return counters_; }
  ReasonCounters& counters() { return counters_; }

 private:
  void keep(Event event, const Packet& packet);
  bool enabled_ = false;
  std::uint32_t keep_bytes_ = 65535;
  std::vector<Event> events_;
  std::vector<std::byte> bytes_;
  ReasonCounters counters_;
};

}  // namespace estab
