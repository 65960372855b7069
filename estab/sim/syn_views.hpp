// SPDX-License-Identifier: Apache-2.0
// What others than the listener itself see of its traffic.
#pragma once
#include <functional>

#include "estab/sim/syn_trial.hpp"

namespace estab::sim {

// A source's sink: beside what traffic tells, tallies.
class HandshakeSink : public SynTrafficSink {
 public:
  virtual void tally(const observe::HandshakeTally& tally) = 0;
};

// Calls f with a sink that hands on to `sink` what `view` can see.
void with_view(SynView view, HandshakeSink& sink, const std::function<void(SynTrafficSink&)>& f);

}  // namespace estab::sim
