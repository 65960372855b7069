// SPDX-License-Identifier: Apache-2.0
// A scenario before the flood detector, once a seed, and what must hold.
#pragma once
#include <array>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "estab/observe/flood_watch.hpp"
#include "estab/sim/syn_traffic.hpp"

namespace estab::sim {

// Who tells the detector: this stack's listener, the packets from clients alone, or the kernel.
enum class SynView : std::uint8_t { listener, towards_server, kernel };
[[nodiscard]] observe::HandshakeSource source_of(SynView view);

struct SynTrial {
  // The first second in which the event was named as expected, since it began.
  std::optional<Duration> named_after;
  // An attack named in an event that is none, or outside of one; 20 s after it are its end.
  std::string false_alarm;  // In the detector's words; empty: none.
  std::string misnamed;     // The first second of the event that got another event's name.
  std::string words;        // The first report that named it as expected.
  bool attack = false;      // An attack was named at all ...
  bool warned = false;      // ... or at least that more fails than usual.
  bool overflowed = false;  // The half-open queue was full: what others call an attack.
  std::array<unsigned, observe::verdicts> seconds{};  // Of the event, by verdict.
};

inline constexpr Duration named_within = 12s;

struct SynTrialConfig {
  SynView view = SynView::listener;
  observe::FloodDetectorConfig detector;
  std::function<void(const observe::FloodReport&)> on_report;
};

[[nodiscard]] SynTrial run_syn_trial(const SynScenario& scenario, std::uint64_t seed,
                                     const SynTrialConfig& config = {});

// The trials of a scenario, taken together.
struct SynScore {
  std::string name;
  observe::Verdict expected{};
  bool bounded = true;
  unsigned trials = 0, attacks = 0, named = 0, warned = 0, overflowed = 0;
  std::vector<Duration> delays;  // Of those named, in their order of length.
  std::array<unsigned, observe::verdicts> seconds{};
  std::vector<std::string> broken;  // What did not hold, with its seed.
  std::string words;                // An example.
};
void add(SynScore& score, const SynScenario& scenario, const SynTrial& trial, std::uint64_t seed);
[[nodiscard]] SynScore score(const SynScenario& scenario, std::uint64_t first_seed, unsigned seeds,
                             const SynTrialConfig& config = {});

}  // namespace estab::sim
