// SPDX-License-Identifier: Apache-2.0
// The flood detector before a few seeds of each scenario; the long run is estab_detect.
#include "estab/sim/syn_trial.hpp"

#include <gtest/gtest.h>

#include <map>

#include "estab/sim/syn_scenarios.hpp"

namespace estab::sim {
namespace {

using observe::HandshakeStep;
using observe::Verdict;

// Notes what is told, and in which order.
struct Notes final : SynTrafficSink {
  void handshake(const observe::HandshakeObservation& o) override {
    EXPECT_GE(o.at, last);
    last = o.at;
    ++steps[o.step];
    told.push_back(o);
  }
  void gauges(const observe::HandshakeGauges& g) override {
    EXPECT_LE(g.half_open, g.half_open_limit);
    EXPECT_LE(g.accept_queue, g.accept_limit);
    accepted = *g.accepted;
  }
  Instant last{};
  std::map<HandshakeStep, unsigned> steps;
  std::vector<observe::HandshakeObservation> told;
  std::uint64_t accepted = 0;
};

TEST(SynTraffic, OfOneSeedIsTheSameAndOfAnotherNot) {
  const SynScenario scenario{.streams = {{.rate = 50}}, .length = 20s};
  Notes one, two, other;
  run_syn_traffic(scenario, 1, one);
  run_syn_traffic(scenario, 1, two);
  run_syn_traffic(scenario, 2, other);
  EXPECT_EQ(one.told, two.told);
  EXPECT_NE(one.told, other.told);
}

TEST(SynTraffic, CompletesButForThoseWhoAbandon) {
  const SynScenario scenario{.streams = {{.rate = 100, .until = 100s, .model = {.loss = 0.05}}},
                             .length = 150s};
  Notes notes;
  run_syn_traffic(scenario, 1, notes);
  const double syns = notes.steps[HandshakeStep::syn];
  EXPECT_NEAR(syns, 10'000, 400);
  EXPECT_NEAR(notes.steps[HandshakeStep::completed] / syns, 0.97, 0.01);
  EXPECT_EQ(notes.accepted, notes.steps[HandshakeStep::completed]);
}

TEST(SynTraffic, OfForgersNeverCompletes) {
  const SynScenario scenario{.streams = {{.rate = 500, .model = {.abandon = 1, .attempts = 1}}},
                             .length = 20s};
  Notes notes;
  run_syn_traffic(scenario, 1, notes);
  EXPECT_GT(notes.steps[HandshakeStep::syn], 9000u);
  EXPECT_EQ(notes.steps[HandshakeStep::completed] + notes.steps[HandshakeStep::client_reset], 0u);
}

void bounds_hold(const std::vector<SynScenario>& scenarios, std::uint64_t seed) {
  for (const auto& scenario : scenarios)
    for (const auto& broken : score(scenario, seed, 1).broken) ADD_FAILURE() << broken;
}

TEST(SynTrial, NoEverydayEventIsAnAlarmAndEachFloodIsNamedWithinTwelveSeconds) {
  bounds_hold(syn_scenarios(), 100);
}

TEST(SynTrial, TheSameHoldsForTheScenariosHeldOut) { bounds_hold(held_out_syn_scenarios(), 100); }

TEST(SynTrial, OfADetectorThatTakesEverythingForAFloodFails) {
  const auto normal = syn_scenarios()[0];
  SynScore bad{.name = normal.name};
  SynTrialConfig config;
  config.detector.failure_arm.allowed = -1, config.detector.failure_arm.alarm = -1;
  config.detector.control_arm.known_samples = 0;
  add(bad, normal, run_syn_trial(normal, 1, config), 1);
  EXPECT_FALSE(bad.broken.empty());
}

TEST(SynTrial, OfOneSeedGivesTheSameReports) {
  std::array<std::vector<std::string>, 2> words;
  for (auto& each : words) {
    SynTrialConfig config;
    config.on_report = [&](const observe::FloodReport& r) { each.push_back(r.in_words()); };
    (void)run_syn_trial({.streams = {{.rate = 20},
                                     {.rate = 200,
                                      .from = 10s,
                                      .model = {.abandon = 1, .attempts = 1},
                                      .sources = {.kind = SourcePool::Kind::anywhere}}},
                         .length = 30s},
                        5, config);
  }
  EXPECT_GE(words[0].size(), 26u);  // A second each, from the fourth on.
  EXPECT_EQ(words[0], words[1]);
}

}  // namespace
}  // namespace estab::sim
