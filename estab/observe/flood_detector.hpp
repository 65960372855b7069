// SPDX-License-Identifier: Apache-2.0
// Tells a SYN flood from a busy morning, by what an endpoint alone knows: which handshakes
// completed. Handshakes are sampled (HandshakeLedger), put into cohorts by the second of their
// first SYN, and judged when a cohort is between three and four seconds old; three arms find what
// is not everyday, and the evidence of the last five cohorts names it (flood_verdict.hpp).
//   - Same observations in, same verdicts out: time and key come from the caller.
//   - About 140 KiB, all of it from construction; no allocation per observation.
//   - Not thread-safe. A verdict is held until the arm that raised it clears.
#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "estab/observe/failure_spread.hpp"
#include "estab/observe/flood_arms.hpp"
#include "estab/observe/flood_verdict.hpp"
#include "estab/observe/handshake.hpp"
#include "estab/observe/handshake_ledger.hpp"
#include "estab/observe/hyperloglog.hpp"

namespace estab::observe {

struct FloodDetectorConfig {
  std::size_t ledger = 2048;  // Handshakes sampled, of 32 octets.
  // Of the half-open queue's limit, how much in its timeout must complete lest a server is idle.
  double idle_share = 0.3;
  double least_completed = 10;  // A second, where limit and timeout are not known.
  double usual_keep = 0.99;     // What is usual over minutes, a cohort.
  FailureArm::Config failure_arm;
  RatioArm::Config ratio_arm;
  ControlArm::Config control_arm;
};

// An observation with the keyed hashes that it is counted by; several detectors share one.
struct Sighting {
  HandshakeObservation observation;
  std::uint64_t flow_hash = 0, source_hash = 0, prefix_hash = 0;
  bool known = false;  // The source's prefix is known to complete.
};

struct FloodReport {
  Verdict verdict = Verdict::quiet;
  Evidence evidence;  // Of the newest cohort; where a verdict is held, its own spread and `recent`.
  [[nodiscard]] bool attack() const { return is_attack(verdict); }
  [[nodiscard]] std::string in_words() const { return observe::in_words(verdict, evidence); }
};

class FloodDetector {
 public:
  // `listener` is for the words alone; unspecified: all listeners.
  explicit FloodDetector(const HandshakeSource& source, const Endpoint& listener = {},
                         const FloodDetectorConfig& config = {});

  // Judges the oldest cohort that is due by `now`; false: none is. Call it until it says so before
  // each observation, and report() is each judgement in its turn; what is observed before that
  // judges all that is due, and only the last report remains.
  bool judge(Instant now);
  [[nodiscard]] const FloodReport& report() const { return report_; }
  // When judge() has work next; never: nothing was observed yet.
  [[nodiscard]] Instant next_deadline() const;

  void observe(const Sighting& sighting);
  void observe(const HandshakeGauges& gauges);
  void observe(const HandshakeTally& tally);
  // Of the moment, not of the last report.
  [[nodiscard]] const Lights& lights() const { return lights_; }

 private:
  // One second's, beside the ledger's sample.
  struct Cohort {
    HandshakeTally tally;
    HyperLogLog sources, prefixes, completed_sources;
  };
  // What a cohort came to, for the sums over several.
  struct Judged {
    HandshakeCounts counts;
    Stratum known, unknown;
  };
  static constexpr std::uint32_t cohorts = 16;
  static_assert(cohorts > judged_after + evidence_cohorts);

  void advance(Instant now);
  void begin(Instant now);
  void skip_to(std::uint32_t cohort);
  [[nodiscard]] std::uint32_t cohort_of(Instant at) const;
  [[nodiscard]] Instant start_of(std::uint32_t cohort) const;
  Cohort& at(std::uint32_t cohort) { return cohorts_[cohort % cohorts]; }
  void first_syn(const Sighting& sighting);
  [[nodiscard]] Judged close(std::uint32_t cohort);
  // Whether it failed.
  bool count(const HandshakeLedger::Entry& entry, double weight, Judged& judged) const;
  void count_unseen(const HandshakeTally& tally, Judged& judged) const;
  void run_arms(const Judged& judged);
  [[nodiscard]] Stratum recent(Stratum Judged::* stratum) const;
  [[nodiscard]] double least_completed() const;
  [[nodiscard]] FailureSpread spread();
  bool keep_warning(const HandshakeCounts& recent);
  [[nodiscard]] Evidence evidence(std::uint32_t cohort, const Judged& judged);
  void learn_usual(const Evidence& evidence, Verdict verdict);
  void hold_or_replace(Verdict verdict, const Evidence& evidence);

  FloodDetectorConfig config_;
  HandshakeSource source_;
  Endpoint listener_;
  HandshakeLedger ledger_;
  std::vector<FailedHandshake> failures_;  // Room to sort them.
  std::array<Cohort, cohorts> cohorts_{};
  std::array<Judged, evidence_cohorts> judged_{};
  FailureArm failure_arm_;
  RatioArm ratio_arm_;
  ControlArm control_arm_;
  Ewma usual_rate_, usual_silent_;
  double talked_ = 0;  // Completions from which the usual silent share was learned.
  HandshakeGauges gauges_;
  Lights lights_;
  FloodReport report_;
  bool warning_ = false;
  bool begun_ = false;
  std::int64_t first_second_ = 0;  // Of the clock; cohorts are numbered from it.
  std::uint32_t newest_ = 0;       // The cohort that is filled ...
  std::uint32_t heard_ = 0;        // ... the last one in which anything was observed ...
  std::uint32_t due_ = 0;          // ... and the oldest that was not judged.
};

}  // namespace estab::observe
