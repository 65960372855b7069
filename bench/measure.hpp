// SPDX-License-Identifier: Apache-2.0
// Rows of measurements: candidates side by side, interleaved round by round, so that what the
// machine does meanwhile befalls all of them.
#pragma once
#include <chrono>
#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace estab::bench {

// How long to take over one sample.
struct Effort {
  bool quick = false;  // A smoke run: every path once, the figures mean little.
  [[nodiscard]] std::chrono::nanoseconds time() const {
    return std::chrono::milliseconds{quick ? 5 : 250};
  }
  [[nodiscard]] std::size_t crowd() const { return quick ? 20'000 : 100'000; }  // Of bytes rows.
};

struct Sample {
  double value = 0;
  std::string note;  // What belongs beside the figure: "16.0 segments an ACK".
};

// Thrown by a candidate that cannot run here; what() says why.
struct Skipped : std::runtime_error {
  using runtime_error::runtime_error;
};

struct Candidate {
  std::string who;
  std::function<Sample(const Effort&)> run;
};

struct Row {
  std::string name, unit, settings;
  std::vector<Candidate> candidates;  // The first is what the row is about, the rest are peers.
  bool counted = false;               // Counted, not timed: the same each time, one round tells.
};

struct Result {
  std::string who, skipped, note;
  std::vector<double> samples;           // One a round.
  std::map<std::string, double> ratios;  // To each peer: the median of the rounds' ratios.
};

// The middle of the samples; the mean of the two middle ones where their number is even.
[[nodiscard]] double median(std::vector<double> samples);

[[nodiscard]] std::vector<Result> measure(const Row& row, const Effort& effort, unsigned rounds);

}  // namespace estab::bench
