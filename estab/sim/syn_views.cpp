// SPDX-License-Identifier: Apache-2.0
#include "estab/sim/syn_views.hpp"

#include <map>
#include <set>
#include <utility>
#include <vector>

namespace estab::sim {
namespace {

using observe::HandshakeStep;

// The packets from the clients, without ours.
class TowardsServer final : public SynTrafficSink {
 public:
  explicit TowardsServer(HandshakeSink& sink) : sink_(sink) {}
  void handshake(const observe::HandshakeObservation& told) override {
    auto observation = told;
    if (observation.step == HandshakeStep::syn_ack) return;
    if (observation.step == HandshakeStep::syn_again) observation.step = HandshakeStep::syn;
    sink_.handshake(observation);
  }
  void gauges(const observe::HandshakeGauges& told) override { sink_.gauges({.at = told.at}); }

 private:
  HandshakeSink& sink_;
};

// Sockets in SYN-RECEIVED, listed once a second, and counters. A socket that is not listed any more
// completed, or was reset, or ran out of time: the list does not say.
class Kernel final : public SynTrafficSink {
 public:
  explicit Kernel(HandshakeSink& sink) : sink_(sink) {}

  void handshake(const observe::HandshakeObservation& told) override {
    const auto& client = told.flow.remote;
    switch (told.step) {
      case HandshakeStep::syn: {
        // Where the queue is full, a cookie is all that is left of it.
        if (half_open_ < limit_) ++half_open_, sockets_.insert({client, {told.at, false}});
        else if (cookies_.insert(client).second) ++tally_.unseen_syns;
        break;
      }
      case HandshakeStep::completed:
        ++tally_.completed;
        if (cookies_.erase(client) > 0) ++tally_.unseen_completed;
        leave(told);
        break;
      case HandshakeStep::client_reset: leave(told); break;
      case HandshakeStep::syn_again:
      case HandshakeStep::syn_ack:
      case HandshakeStep::client_data:
      case HandshakeStep::left:         break;
    }
  }
  void gauges(const observe::HandshakeGauges& told) override {
    limit_ = told.half_open_limit.value_or(limit_);
    timeout_ = told.half_open_timeout.value_or(timeout_);
    if (told.at >= next_list_) list(told.at);
    sink_.gauges(told);
  }

 private:
  struct Socket {
    Instant since{};
    bool listed = false;
  };
  void leave(const observe::HandshakeObservation& told) {
    const auto found = sockets_.find(told.flow.remote);
    if (found == sockets_.end()) return;
    if (found->second.listed) gone_.push_back(told.flow.remote);
    sockets_.erase(found);
    --half_open_;
  }
  void list(Instant now) {
    next_list_ = now + 1s;
    for (const auto& client : gone_) tell(now, HandshakeStep::left, client);
    gone_.clear();
    for (auto it = sockets_.begin(); it != sockets_.end();) {
      if (!std::exchange(it->second.listed, true)) tell(now, HandshakeStep::syn, it->first);
      if (now - it->second.since >= timeout_) it = sockets_.erase(it), --half_open_;
      else ++it;
    }
    tally_.at = now;
    sink_.tally(std::exchange(tally_, {}));
  }
  void tell(Instant now, HandshakeStep step, const Endpoint& client) {
    sink_.handshake({now, step, {syn_traffic_listener, client}});
  }

  HandshakeSink& sink_;
  std::map<Endpoint, Socket> sockets_;
  std::set<Endpoint> cookies_;
  std::vector<Endpoint> gone_;
  observe::HandshakeTally tally_;
  std::uint32_t half_open_ = 0, limit_ = 1024;
  Milliseconds timeout_{31'000};
  Instant next_list_{};
};

}  // namespace

void with_view(SynView view, HandshakeSink& sink, const std::function<void(SynTrafficSink&)>& f) {
  switch (view) {
    case SynView::listener:       return f(sink);
    case SynView::towards_server: {
      TowardsServer seen{sink};
      return f(seen);
    }
    case SynView::kernel: {
      Kernel seen{sink};
      return f(seen);
    }
  }
}

}  // namespace estab::sim
