// SPDX-License-Identifier: Apache-2.0
// What the flood detector says, and on what grounds. A verdict is a function of its evidence alone
// and carries it, so that it can be logged, argued with and replayed.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "estab/base/address.hpp"
#include "estab/observe/failure_spread.hpp"
#include "estab/observe/handshake.hpp"

namespace estab::observe {

enum class Verdict : std::uint8_t {
  quiet,           // Nothing to report.
  failing,         // More handshakes fail than usual; the evidence does not say why.
  half_open_scan,  // Clients reset what we answer: somebody looks for open ports.
  overload,        // The application is too slow to accept: a crowd, or trouble of its own.
  connect_flood,   // Many complete and then say nothing.
  path_broken,     // Our SYN-ACKs do not arrive.
  few_hosts,       // An attack from hosts that can be named.
  reflector,       // An attack on one prefix, forged as the source to hit it with our answers.
  spoofed_flood,   // An attack from forged sources without pattern.
};
inline constexpr unsigned verdicts = 9;
[[nodiscard]] std::string_view to_string(Verdict verdict);
// Whether it says that somebody forges or floods SYNs: the only ones that are an alarm.
[[nodiscard]] constexpr bool is_attack(Verdict v) { return v >= Verdict::few_hosts; }

// Independent of the verdict, and immediate. Engage on pressure, alarm on evidence.
struct Lights {
  bool under_pressure = false;    // The half-open queue filled to 75 %; out below 25 %.
  bool slow_application = false;  // The accept queue likewise.
  friend bool operator==(const Lights&, const Lights&) = default;
};

// Of one cohort, or the sum of several.
struct HandshakeCounts {
  double syns = 0;        // First SYNs that we answered, or may have.
  double completed = 0;   // In time: within three to four seconds.
  double reset = 0;       // By the client.
  double failed = 0;      // None of both.
  double unanswered = 0;  // SYNs that we did not answer, or too late to judge; not in `syns`.
  double silent = 0;      // Of those completed: without a word from the client.
  HandshakeCounts& operator+=(const HandshakeCounts& other);
};

// Cohorts that a verdict looks back upon, and after how many seconds a cohort is judged.
inline constexpr std::uint32_t evidence_cohorts = 5, judged_after = 4;

struct Evidence {
  Endpoint listener;          // Unspecified: all of them.
  Instant cohort{}, until{};  // The start of the cohort judged, and when it was.
  HandshakeSource source;

  HandshakeCounts counts;                            // The cohort's.
  HandshakeCounts recent;                            // The last evidence_cohorts together.
  double weight = 1;                                 // Each handshake sampled stood for so many.
  double usual_completed = 0, least_completed = 0;   // A second: EWMA; below this a server is idle.
  double excess = 0, alarm_level = 0;                // Arm A.
  double usual_failed_share = 0, warning_level = 0;  // Arm B.
  double known_failed_share = 0, unknown_failed_share = 0, control_level = 0;  // Arm C.
  bool alarm_a = false, alarm_c = false, warning = false;
  bool bad = false;                               // The cohort itself gave cause.
  double usual_rate = 0, usual_silent_share = 0;  // Completions a second, over minutes.
  bool usual_talks = false;  // Enough is known of what share usually stays silent.

  double sources = 0, prefixes = 0;  // Of all recent SYNs, by HyperLogLog ...
  double completed_sources = 0;      // ... and those of them that completed.
  FailureSpread spread;
  HandshakeGauges gauges;
  Lights lights;
};

// What a source left open: bits.
namespace doubt {
inline constexpr std::uint8_t path = 1;        // A broken path cannot be excluded.
inline constexpr std::uint8_t scan = 2;        // A half-open scan cannot be excluded.
inline constexpr std::uint8_t counted = 4;     // Completions were counted, not matched by flow.
inline constexpr std::uint8_t unproven = 8;    // Completions were taken for what they seemed.
inline constexpr std::uint8_t silence = 16;    // A connect flood cannot be told from a crowd.
inline constexpr std::uint8_t repeating = 32;  // Sources repeat: they may be real hosts.
inline constexpr std::uint8_t answers = 64;    // The server may not have answered at all.
}  // namespace doubt

// The verdict on a cohort by its own evidence; what holds over time is the detector's.
[[nodiscard]] Verdict decide(const Evidence& evidence);
[[nodiscard]] std::uint8_t doubts(Verdict verdict, const Evidence& evidence);
// One line: "143 half-open on :80 from 141 sources in 139 prefixes, 2 of 1,870 completed in 4 s:
// spoofed flood", and where there are doubts, which.
[[nodiscard]] std::string in_words(Verdict verdict, const Evidence& evidence);

}  // namespace estab::observe
