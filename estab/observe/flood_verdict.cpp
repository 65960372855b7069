// SPDX-License-Identifier: Apache-2.0
#include "estab/observe/flood_verdict.hpp"

#include <algorithm>
#include <array>

namespace estab::observe {
namespace {

// Sampled failures without which nothing is named.
constexpr unsigned enough = 20;

// Our answers do not arrive: those who wait for them ask again, and are people we know. A server
// that knows nobody yet can still tell by its traffic: as many as usual come and none completes,
// which no forger brings about.
bool looks_path_broken(const Evidence& e) {
  if (!e.source.repeats || e.spread.repeated <= 0.5) return false;
  if (e.source.data && e.spread.known > 0.4) return true;
  const double usual = e.usual_completed * evidence_cohorts;
  return usual >= enough && e.recent.completed < 0.1 * usual && e.recent.syns < 2.5 * usual;
}

// Without repeated SYNs a broken path shows only in the sum: a flood comes on top of what usually
// completes, a broken path or a full accept queue takes from it. What may be ours is no attack.
bool may_be_ours(const Evidence& e) {
  if (!e.source.answers && e.lights.slow_application) return true;
  if (e.source.repeats) return false;
  const double usual = e.usual_completed * evidence_cohorts;
  return e.recent.completed < 0.8 * usual && e.recent.syns < 2 * usual;
}

bool looks_like_scan(const Evidence& e) {
  const auto& r = e.recent;
  return r.reset >= enough / 2 && r.reset > r.failed && r.reset > 0.2 * r.completed;
}

// More complete and stay silent than usually complete at all.
bool looks_like_connect_flood(const Evidence& e) {
  if (!e.source.data || !e.usual_talks || e.usual_silent_share > 0.5) return false;
  const auto& r = e.recent;
  const double usual = std::max(e.usual_rate, e.least_completed) * evidence_cohorts;
  return r.silent > 0.5 * r.completed && r.silent > usual;
}

Verdict name_attack(const Evidence& e) {
  if (e.spread.top_hosts_share > 0.5) return Verdict::few_hosts;
  if (e.spread.top_prefix_share > 0.5) return Verdict::reflector;
  return Verdict::spoofed_flood;
}

}  // namespace

std::string_view to_string(Verdict verdict) {
  static constexpr std::array<std::string_view, verdicts> names{
      "quiet",       "failing handshakes", "half-open scan", "overload",     "connect flood",
      "path broken", "few hosts",          "reflector",      "spoofed flood"};
  return names[std::size_t(verdict)];
}

HandshakeCounts& HandshakeCounts::operator+=(const HandshakeCounts& other) {
  syns += other.syns, completed += other.completed, reset += other.reset;
  failed += other.failed, unanswered += other.unanswered, silent += other.silent;
  return *this;
}

Verdict decide(const Evidence& e) {
  const bool alarm = e.alarm_a || e.alarm_c, named = e.spread.samples >= enough;
  // No alarm, so a warning is ground enough: where only some paths are broken, there is no more.
  const bool ours = may_be_ours(e);
  if (((alarm && e.bad) || e.warning) && named && !ours && looks_path_broken(e))
    return Verdict::path_broken;
  if (alarm && e.bad && named && !ours)
    return looks_like_scan(e) ? Verdict::half_open_scan : name_attack(e);
  if (looks_like_connect_flood(e)) return Verdict::connect_flood;
  if (e.lights.slow_application) return Verdict::overload;
  if (looks_like_scan(e)) return Verdict::half_open_scan;
  return alarm || e.warning ? Verdict::failing : Verdict::quiet;
}

std::uint8_t doubts(Verdict verdict, const Evidence& e) {
  std::uint8_t open = 0;
  if (is_attack(verdict) || verdict == Verdict::failing) {
    if (!e.source.repeats) open |= doubt::path;
    if (!e.source.resets) open |= doubt::scan;
  }
  if (!e.source.answers && (verdict == Verdict::path_broken || verdict == Verdict::failing))
    open |= doubt::answers;
  if (verdict == Verdict::spoofed_flood && e.spread.sources * 2 < e.spread.samples)
    open |= doubt::repeating;
  if (verdict == Verdict::overload && !e.source.data) open |= doubt::silence;
  if (verdict == Verdict::quiet) return open;
  if (!e.source.matched) open |= doubt::counted;
  else if (!e.source.proven) open |= doubt::unproven;
  return open;
}

}  // namespace estab::observe
