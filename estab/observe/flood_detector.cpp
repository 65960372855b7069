// SPDX-License-Identifier: Apache-2.0
#include "estab/observe/flood_detector.hpp"

#include <algorithm>

namespace estab::observe {
namespace {

// Each light goes on at three quarters and out at one: no flicker.
void switch_light(bool& light, const std::optional<std::uint32_t>& level,
                  const std::optional<std::uint32_t>& limit) {
  if (!level || !limit || *limit == 0) return;
  const double share = double(*level) / *limit;
  if (share >= 0.75) light = true;
  else if (share < 0.25) light = false;
}

}  // namespace

FloodDetector::FloodDetector(const HandshakeSource& source, const Endpoint& listener,
                             const FloodDetectorConfig& config)
    : config_(config),
      source_(source),
      listener_(listener),
      ledger_(config.ledger),
      failure_arm_(config.failure_arm),
      ratio_arm_(config.ratio_arm),
      control_arm_(config.control_arm),
      usual_rate_(config.usual_keep),
      usual_silent_(config.usual_keep) {
  failures_.reserve(config.ledger);
  report_.evidence.listener = listener;
  report_.evidence.source = source;
}

std::uint32_t FloodDetector::cohort_of(Instant at) const {
  const auto second = std::chrono::floor<std::chrono::seconds>(at.time_since_epoch()).count();
  return std::uint32_t(std::max<std::int64_t>(second - first_second_, newest_));
}

Instant FloodDetector::start_of(std::uint32_t cohort) const {
  return Instant{std::chrono::seconds{first_second_ + cohort}};
}

Instant FloodDetector::next_deadline() const {
  return begun_ ? start_of(due_ + judged_after) : never;
}

void FloodDetector::begin(Instant now) {
  begun_ = true;
  first_second_ = std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()).count();
  ledger_.open(0);
}

bool FloodDetector::judge(Instant now) {
  if (!begun_ || now < next_deadline()) return false;
  // After a long silence nothing is left to judge but the silence, and five minutes of it do.
  constexpr std::uint32_t most = 300;
  const auto last = cohort_of(now) - judged_after;
  if (due_ > heard_ + evidence_cohorts && last - due_ > most) skip_to(last - most);
  // Cohorts open as they are reached, so that each is judged by what was known then.
  const auto reached = due_ + judged_after;
  for (; newest_ < reached; ledger_.open(newest_)) at(++newest_) = {};
  const auto cohort = due_++;
  const auto judged = close(cohort);
  run_arms(judged);
  const auto grounds = evidence(cohort, judged);
  const auto verdict = decide(grounds);
  learn_usual(grounds, verdict);
  hold_or_replace(verdict, grounds);
  return true;
}

void FloodDetector::skip_to(std::uint32_t cohort) {
  due_ = newest_ = cohort;
  cohorts_ = {};
  ledger_.open(newest_);
}

void FloodDetector::advance(Instant now) {
  if (!begun_) begin(now);
  while (judge(now)) continue;
  const auto cohort = heard_ = cohort_of(now);
  for (; newest_ < cohort; ledger_.open(newest_)) at(++newest_) = {};
}

void FloodDetector::first_syn(const Sighting& sighting) {
  auto& cohort = at(newest_);
  cohort.sources.add(sighting.source_hash);
  cohort.prefixes.add(sighting.prefix_hash);
  auto* entry = ledger_.syn(sighting.flow_hash, sighting.observation.flow.remote.address);
  if (entry && entry->syns == 1) entry->known = sighting.known;
}

void FloodDetector::observe(const Sighting& sighting) {
  advance(sighting.observation.at);
  const auto step = sighting.observation.step;
  if (step == HandshakeStep::syn) return first_syn(sighting);
  if (step == HandshakeStep::completed) at(newest_).completed_sources.add(sighting.source_hash);
  auto* entry = ledger_.find(sighting.flow_hash);
  if (entry == nullptr) return;
  switch (step) {
    case HandshakeStep::syn: break;
    case HandshakeStep::syn_again:
      entry->syns = std::uint8_t(std::min(entry->syns + 1, 255));
      break;
    case HandshakeStep::syn_ack:
      if (!entry->answered) entry->answered_late = entry->cohort != newest_;
      entry->answered = true;
      break;
    case HandshakeStep::completed:    entry->completed = true; break;
    case HandshakeStep::client_reset: entry->reset = true; break;
    case HandshakeStep::client_data:  entry->data = true; break;
    case HandshakeStep::left:         entry->left = true; break;
  }
}

void FloodDetector::observe(const HandshakeGauges& gauges) {
  advance(gauges.at);
  gauges_ = gauges;
  switch_light(lights_.under_pressure, gauges.half_open, gauges.half_open_limit);
  switch_light(lights_.slow_application, gauges.accept_queue, gauges.accept_limit);
}

void FloodDetector::observe(const HandshakeTally& tally) {
  advance(tally.at);
  auto& sum = at(newest_).tally;
  sum.completed += tally.completed;
  sum.unseen_syns += tally.unseen_syns;
  sum.unseen_completed += tally.unseen_completed;
}

FloodDetector::Judged FloodDetector::close(std::uint32_t cohort) {
  Judged judged;
  const double weight = ledger_.weight(cohort);
  ledger_.judge(cohort, [&](const auto& entry) { return count(entry, weight, judged); });
  if (cohort >= evidence_cohorts) ledger_.forget(cohort - evidence_cohorts);
  count_unseen(at(cohort).tally, judged);
  judged_[cohort % evidence_cohorts] = judged;
  return judged;
}

bool FloodDetector::count(const HandshakeLedger::Entry& entry, double weight,
                          Judged& judged) const {
  auto& counts = judged.counts;
  if (source_.answers && !entry.answered) {
    counts.unanswered += weight;
    return false;
  }
  if (entry.left) return false;  // Its completion, if it was one, is in the tally.
  // We let it wait, and its time to complete began only with our answer.
  if (entry.answered_late && !entry.completed && !entry.reset) {
    counts.unanswered += weight;
    return false;
  }
  counts.syns += weight;
  const bool failed = !entry.completed && !entry.reset;
  if (entry.completed) counts.completed += weight, counts.silent += entry.data ? 0 : weight;
  else if (entry.reset) counts.reset += weight;
  else counts.failed += weight;
  auto& stratum = entry.known ? judged.known : judged.unknown;
  stratum.syns += weight, ++stratum.samples;
  if (failed) stratum.failed += weight, ++stratum.failed_samples;
  return failed;
}

void FloodDetector::count_unseen(const HandshakeTally& tally, Judged& judged) const {
  if (source_.matched) return;
  const auto lost = tally.unseen_syns - std::min(tally.unseen_syns, tally.unseen_completed);
  judged.counts.completed += tally.completed;
  judged.counts.failed += lost;
  judged.counts.syns += tally.completed + lost;
}

Stratum FloodDetector::recent(Stratum Judged::* stratum) const {
  Stratum sum;
  for (const auto& judged : judged_) {
    const auto& s = judged.*stratum;
    sum.syns += s.syns / evidence_cohorts, sum.failed += s.failed / evidence_cohorts;
    sum.samples += s.samples, sum.failed_samples += s.failed_samples;
  }
  return sum;
}

double FloodDetector::least_completed() const {
  const auto& g = gauges_;
  if (!g.half_open_limit || !g.half_open_timeout || g.half_open_timeout->count() == 0)
    return config_.least_completed;
  const std::chrono::duration<double> timeout = *g.half_open_timeout;
  return config_.idle_share * *g.half_open_limit / timeout.count();
}

void FloodDetector::run_arms(const Judged& judged) {
  const auto& c = judged.counts;
  const auto samples = judged.known.samples + judged.unknown.samples;
  failure_arm_.cohort(c.failed, c.completed, least_completed());
  ratio_arm_.cohort(c.syns > 0 ? c.failed / c.syns : 0, samples);
  control_arm_.cohort(recent(&Judged::known), recent(&Judged::unknown),
                      std::max(failure_arm_.usual_completed(), least_completed()));
}

FailureSpread FloodDetector::spread() {
  failures_.clear();
  ledger_.for_each_failure([&](const HandshakeLedger::Entry& entry) {
    failures_.push_back({.source = entry.source,
                         .weight = float(ledger_.weight(entry.cohort)),
                         .repeated = entry.syns > 1,
                         .known = entry.known});
  });
  return measure_spread(failures_);
}

// A few failures a second cannot fill the queue, however much more they are than usual.
bool FloodDetector::keep_warning(const HandshakeCounts& recent) {
  const std::chrono::duration<double> timeout =
      gauges_.half_open_timeout.value_or(Milliseconds{31'000});
  const double limit = gauges_.half_open_limit.value_or(0);
  const bool fills = recent.failed / evidence_cohorts * timeout.count() > 0.5 * limit;
  warning_ = ratio_arm_.warn() && (warning_ || fills);
  return warning_;
}

Evidence FloodDetector::evidence(std::uint32_t cohort, const Judged& judged) {
  Evidence e{.listener = listener_,
             .cohort = start_of(cohort),
             .until = start_of(cohort + judged_after),
             .source = source_,
             .counts = judged.counts,
             .weight = ledger_.weight(cohort),
             .usual_completed = failure_arm_.usual_completed(),
             .least_completed = least_completed(),
             .excess = failure_arm_.excess(),
             .alarm_level = failure_arm_.level(),
             .usual_failed_share = ratio_arm_.usual_share(),
             .warning_level = ratio_arm_.level(),
             .known_failed_share = recent(&Judged::known).failed_share(),
             .unknown_failed_share = recent(&Judged::unknown).failed_share(),
             .control_level = control_arm_.level(),
             .alarm_a = failure_arm_.alarm(),
             .alarm_c = control_arm_.alarm(),
             .bad = failure_arm_.bad() || control_arm_.bad(),
             .usual_rate = usual_rate_.value(),
             .usual_silent_share = usual_silent_.value(),
             .usual_talks = talked_ >= 30,
             .spread = spread(),
             .gauges = gauges_,
             .lights = lights_};
  for (const auto& each : judged_) e.recent += each.counts;
  HyperLogLog sources, prefixes, completed;
  for (std::uint32_t i = 0; i < evidence_cohorts && i <= cohort; ++i) {
    sources.merge(at(cohort - i).sources);
    prefixes.merge(at(cohort - i).prefixes);
    completed.merge(at(cohort - i).completed_sources);
  }
  e.sources = sources.estimate(), e.prefixes = prefixes.estimate();
  e.completed_sources = completed.estimate();
  e.warning = keep_warning(e.recent);
  return e;
}

// What is usual over minutes is not learned while anything is unusual.
void FloodDetector::learn_usual(const Evidence& e, Verdict verdict) {
  if (verdict != Verdict::quiet && verdict != Verdict::overload) return;
  usual_rate_.add(e.counts.completed);
  if (e.counts.completed > 0) usual_silent_.add(e.counts.silent / e.counts.completed);
  talked_ += e.counts.completed;
}

// A cohort that is no worse than others does not end an attack: pulses have pauses.
void FloodDetector::hold_or_replace(Verdict verdict, const Evidence& e) {
  const bool alarmed = e.alarm_a || e.alarm_c;
  const bool keep = alarmed && verdict == Verdict::failing && report_.verdict > verdict &&
                    (report_.attack() || report_.verdict == Verdict::path_broken);
  if (!keep) {
    report_ = {verdict, e};
    return;
  }
  const auto held = report_.evidence;
  report_.evidence = e;
  report_.evidence.spread = held.spread, report_.evidence.recent = held.recent;
}

}  // namespace estab::observe
