// SPDX-License-Identifier: Apache-2.0
// Simulated traffic as a source of the watch: recorded first, then played through a board.
#pragma once
#include <algorithm>
#include <string>
#include <variant>
#include <vector>

#include "estab/cli/watch_source.hpp"
#include "estab/sim/syn_scenarios.hpp"
#include "estab/sim/syn_trial.hpp"
#include "estab/sim/syn_views.hpp"

namespace estab::test {

struct Told {
  Instant at{};
  Endpoint listener;
  std::variant<observe::HandshakeObservation, observe::HandshakeGauges, observe::HandshakeTally>
      what;
};

// What a listener of a scenario sees, as if it were at `listener`.
class Recorder final : public sim::HandshakeSink {
 public:
  Recorder(std::vector<Told>& told, const Endpoint& listener) : told_(told), listener_(listener) {}
  void handshake(const observe::HandshakeObservation& told) override {
    auto moved = told;
    moved.flow.local = listener_;
    told_.push_back({told.at, listener_, moved});
  }
  void gauges(const observe::HandshakeGauges& told) override {
    told_.push_back({told.at, listener_, told});
  }
  void tally(const observe::HandshakeTally& told) override {
    told_.push_back({told.at, listener_, told});
  }

 private:
  std::vector<Told>& told_;
  Endpoint listener_;
};

inline sim::SynScenario scenario(std::string_view name) {
  const auto all = sim::syn_scenarios();
  const auto found = std::ranges::find(all, name, &sim::SynScenario::name);
  if (found == all.end()) throw std::runtime_error("no scenario " + std::string(name));
  return *found;
}

class ScenarioSource : public cli::WatchSource {
 public:
  explicit ScenarioSource(std::string_view name, sim::SynView view = sim::SynView::listener)
      : name_("scenario " + std::string(name)), board_({1, 2}, sim::source_of(view)) {
    add(name, view, sim::syn_traffic_listener, 1);
  }
  // Beside it, a scenario at another listener.
  void add(std::string_view name, sim::SynView view, const Endpoint& listener, unsigned seed) {
    const auto played = scenario(name);
    Recorder recorder{told_, listener};
    sim::with_view(view, recorder,
                   [&](sim::SynTrafficSink& sink) { sim::run_syn_traffic(played, seed, sink); });
    std::ranges::stable_sort(told_, {}, &Told::at);
  }
  // Plays on until that moment of the scenario.
  void play_until(Duration moment) {
    for (; next_ < told_.size() && told_[next_].at < Instant{moment}; ++next_) tell(told_[next_]);
    now_ = std::max(now_, Instant{moment});
    board_.advance(now_);
  }

  [[nodiscard]] std::string name() const override { return name_; }
  [[nodiscard]] std::vector<observe::ListenerPicture> pictures() override {
    return board_.pictures();
  }
  [[nodiscard]] Instant now() const override { return now_; }
  [[nodiscard]] std::vector<std::string> notes() const override { return notes_; }
  [[nodiscard]] bool finished() const override { return next_ == told_.size(); }
  std::vector<std::string> notes_;

 private:
  void tell(const Told& told) {
    board_.advance(told.at);
    if (const auto* handshake = std::get_if<observe::HandshakeObservation>(&told.what))
      return board_.observe(*handshake);
    if (const auto* tally = std::get_if<observe::HandshakeTally>(&told.what))
      return board_.observe(told.listener, *tally);
    const auto& gauges = std::get<observe::HandshakeGauges>(told.what);
    board_.observe(told.listener, gauges);
    if (!gauges.half_open) return;
    const bool full = *gauges.half_open >= *gauges.half_open_limit;
    const bool pressed = *gauges.half_open * 4 >= *gauges.half_open_limit * 3;
    board_.set_mode(told.listener, full ? "STATELESS" : pressed ? "PRESSURE" : "NORMAL");
  }

  std::string name_;
  observe::HandshakeBoard board_;
  std::vector<Told> told_;
  std::size_t next_ = 0;
  Instant now_{};
};

}  // namespace estab::test
