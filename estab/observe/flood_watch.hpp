// SPDX-License-Identifier: Apache-2.0
// A flood detector for each listener, and one for all of them together, which also takes what
// belongs to no listener named. They share the hashes of an observation and the prefixes known to
// complete. Memory is fixed by the number of listeners; not thread-safe.
#pragma once
#include <span>
#include <vector>

#include "estab/observe/flood_detector.hpp"
#include "estab/base/known_prefixes.hpp"

namespace estab::observe {

class FloodWatch {
 public:
  // `key`: secret, and drawn anew at each start; a replay needs the same. `listeners`: those that
  // get a detector of their own; an unspecified address stands for any address of that port.
  FloodWatch(const HashKey& key, const HandshakeSource& source,
             std::span<const Endpoint> listeners = {}, const FloodDetectorConfig& config = {});

  // See FloodDetector. on_report(const FloodReport&) is called for each judgement that is due.
  template <class F>
  void advance(Instant now, F&& on_report) {
    if (now < next_) return;
    for (auto& detector : detectors_)
      while (detector.judge(now)) on_report(detector.report());
    find_next();
  }
  void observe(const HandshakeObservation& observation);
  // Gauges and tallies are a listener's; the sum over all is the caller's to give, under
  // Endpoint{}.
  void observe(const Endpoint& listener, const HandshakeGauges& gauges);
  void observe(const Endpoint& listener, const HandshakeTally& tally);

  // That of all listeners stands first.
  [[nodiscard]] std::span<const FloodDetector> detectors() const { return detectors_; }
  [[nodiscard]] Instant next_deadline() const { return next_; }
  // Also for admission: room kept for peers that completed before.
  [[nodiscard]] const KnownPrefixes& known() const { return known_; }

 private:
  [[nodiscard]] FloodDetector* detector_of(const Endpoint& local);
  void find_next();

  HashKey key_;
  HandshakeSource source_;
  KnownPrefixes known_;
  std::vector<Endpoint> listeners_;
  std::vector<FloodDetector> detectors_;
  Instant next_ = never;
};

}  // namespace estab::observe
