// SPDX-License-Identifier: Apache-2.0
// A flood detector for each listener, and one for all of them together, which also takes what
// belongs to no listener named. They share the hashes of an observation and the prefixes known to
// complete. Memory is fixed by the number of listeners; not thread-safe.
#pragma once
#include <span>
#include <vector>

#include "estab/base/known_prefixes.hpp"
#include "estab/observe/flood_detector.hpp"

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
  void observe(const HandshakeObservation& observation) {
    observe(sight(observation), find(observation.flow.local));
  }
  // The same in two steps, for a caller that needs the hashes or the index as well.
  [[nodiscard]] Sighting sight(const HandshakeObservation& observation) const;
  void observe(const Sighting& sighting, std::size_t detector);
  // Gauges and tallies are a listener's; the sum over all is the caller's to give, under
  // Endpoint{}.
  void observe(const Endpoint& listener, const HandshakeGauges& gauges);
  void observe(const Endpoint& listener, const HandshakeTally& tally);

  // That of all listeners stands first.
  [[nodiscard]] std::span<const FloodDetector> detectors() const { return detectors_; }
  // The index of the detector of a local end: one of that very address before one of any. 0: none.
  [[nodiscard]] std::size_t find(const Endpoint& local) const;
  // A listener more, or another one at an index that is not 0; its detector starts anew.
  void add_listener(const Endpoint& listener);
  void replace_listener(std::size_t detector, const Endpoint& listener);
  [[nodiscard]] Instant next_deadline() const { return next_; }
  // Also for admission: room kept for peers that completed before.
  [[nodiscard]] const KnownPrefixes& known() const { return known_; }

 private:
  [[nodiscard]] FloodDetector* detector_of(const Endpoint& listener);
  void find_next();

  HashKey key_;
  HandshakeSource source_;
  FloodDetectorConfig config_;
  KnownPrefixes known_;
  std::vector<Endpoint> listeners_;  // As the detectors; the first is nobody's.
  std::vector<FloodDetector> detectors_;
  Instant next_ = never;
};

}  // namespace estab::observe
