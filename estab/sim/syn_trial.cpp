// SPDX-License-Identifier: Apache-2.0
#include "estab/sim/syn_trial.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "estab/base/random.hpp"
#include "estab/sim/syn_views.hpp"

namespace estab::sim {
namespace {

using observe::FloodReport;
using observe::Verdict;

constexpr Duration end_of_event = 20s;

// Between the traffic and the watch; keeps what the reports said.
class Jury final : public HandshakeSink {
 public:
  Jury(const SynScenario& scenario, std::uint64_t seed, const SynTrialConfig& config)
      : scenario_(scenario),
        config_(config),
        phase_(Random{seed ^ 0x706861736521}.below(1'000'000'000)),
        watch_({seed, ~seed}, source_of(config.view), {}, config.detector) {}

  void handshake(const observe::HandshakeObservation& told) override {
    auto observation = told;
    judge(observation.at += phase_);
    watch_.observe(observation);
  }
  void gauges(const observe::HandshakeGauges& told) override {
    auto gauges = told;
    judge(gauges.at += phase_);
    trial_.overflowed |= gauges.half_open && gauges.half_open == gauges.half_open_limit;
    watch_.observe(Endpoint{}, gauges);
  }
  void tally(const observe::HandshakeTally& told) override {
    auto tally = told;
    judge(tally.at += phase_);
    watch_.observe(Endpoint{}, tally);
  }
  [[nodiscard]] SynTrial result() && { return std::move(trial_); }

 private:
  void judge(Instant now) {
    watch_.advance(now, [&](const FloodReport& report) { take(report); });
  }
  void take(const FloodReport& report);

  const SynScenario& scenario_;
  const SynTrialConfig& config_;
  Duration phase_;  // No event begins with the detector's second.
  observe::FloodWatch watch_;
  SynTrial trial_;
};

void Jury::take(const FloodReport& report) {
  if (config_.on_report) config_.on_report(report);
  const auto verdict = report.verdict;
  const Instant at = report.evidence.until - phase_;
  const bool during =
      at > Instant{scenario_.event_from} && at < Instant{scenario_.event_until} + end_of_event;
  if (report.attack()) trial_.attack = true;
  if (report.evidence.warning) trial_.warned = true;
  if (report.attack() && (!during || !is_attack(scenario_.expected)) && trial_.false_alarm.empty())
    trial_.false_alarm = report.in_words();
  if (!during) return;
  ++trial_.seconds[std::size_t(verdict)];
  const bool names = report.attack() || verdict == Verdict::path_broken;
  if (names && verdict != scenario_.expected && trial_.misnamed.empty())
    trial_.misnamed = report.in_words();
  if (verdict != scenario_.expected || trial_.named_after) return;
  trial_.named_after = at - Instant{scenario_.event_from};
  trial_.words = report.in_words();
}

bool is_named_in_time(const SynTrial& trial) {
  return trial.named_after && *trial.named_after <= named_within;
}

}  // namespace

observe::HandshakeSource source_of(SynView view) {
  switch (view) {
    case SynView::listener:       return observe::HandshakeSource::listener();
    case SynView::towards_server: return observe::HandshakeSource::towards_server();
    case SynView::kernel:         return observe::HandshakeSource::kernel();
  }
  return {};
}

SynTrial run_syn_trial(const SynScenario& scenario, std::uint64_t seed,
                       const SynTrialConfig& config) {
  Jury jury{scenario, seed, config};
  with_view(config.view, jury,
            [&](SynTrafficSink& sink) { run_syn_traffic(scenario, seed, sink); });
  return std::move(jury).result();
}

void add(SynScore& score, const SynScenario& scenario, const SynTrial& trial, std::uint64_t seed) {
  ++score.trials;
  score.attacks += trial.attack, score.warned += trial.warned;
  score.overflowed += trial.overflowed;
  for (std::size_t i = 0; i < observe::verdicts; ++i) score.seconds[i] += trial.seconds[i];
  const bool event = scenario.expected != Verdict::quiet;
  if (event && trial.named_after) {
    ++score.named;
    score.delays.insert(std::ranges::upper_bound(score.delays, *trial.named_after),
                        *trial.named_after);
  }
  if (score.words.empty()) score.words = trial.words;
  const auto broken = [&](std::string_view what, std::string_view words) {
    score.broken.push_back(fmt::format("{}, seed {}: {}{}", scenario.name, seed, what, words));
  };
  if (!trial.false_alarm.empty()) broken("false alarm: ", trial.false_alarm);
  if (event && !trial.misnamed.empty()) broken("misnamed: ", trial.misnamed);
  if (!event || !scenario.bounded || is_named_in_time(trial)) return;
  if (!trial.named_after) broken("never named ", to_string(scenario.expected));
  else
    broken("named late: after ",
           fmt::format("{:.1f} s", std::chrono::duration<double>(*trial.named_after).count()));
}

SynScore score(const SynScenario& scenario, std::uint64_t first_seed, unsigned seeds,
               const SynTrialConfig& config) {
  SynScore score{.name = scenario.name, .expected = scenario.expected, .bounded = scenario.bounded};
  for (unsigned i = 0; i < seeds; ++i)
    add(score, scenario, run_syn_trial(scenario, first_seed + i, config), first_seed + i);
  return score;
}

}  // namespace estab::sim
