// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <utility>
#include <vector>

#include "estab/event/event.hpp"

namespace estab::observe {

// A stack logs a packet when it arrives, and then the transitions that it causes. A view tells them
// with the packet, so it wants them first: this holds such a packet back until they have passed.
class EventOrder {
 public:
  // Calls out(const Event&, Bytes) for what may go on.
  template <class Out>
  void take(const Event& event, Bytes packet, Out&& out) {
    if (held_ && event.kind == EventKind::transition && event.at == held_->at &&
        event.flow == held_->flow && event.before == reached_) {
      out(event, Bytes{});
      reached_ = event.after;
      if (reached_ == held_->after) release(out);
      return;
    }
    release(out);
    const bool arrival = event.kind == EventKind::received || event.kind == EventKind::dropped;
    if (!arrival || event.before == event.after) return out(event, packet);
    held_ = event;
    reached_ = event.before;
    bytes_.assign(packet.begin(), packet.end());
  }
  // Nothing follows for now.
  template <class Out>
  void release(Out&& out) {
    if (held_) out(std::as_const(*held_), Bytes{bytes_});
    held_.reset();
  }

 private:
  std::optional<Event> held_;
  State reached_{};
  std::vector<std::byte> bytes_;
};

}  // namespace estab::observe
