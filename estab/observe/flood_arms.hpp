// SPDX-License-Identifier: Apache-2.0
// Three ways to find that handshakes fail for no everyday reason. Each takes one cohort a second
// and accumulates what exceeds the everyday (a CUSUM, Page 1954), so that a small excess is found
// by its lasting and a large one at once. None takes clocks, flows or configuration from elsewhere.
#pragma once
#include <cstdint>

namespace estab::observe {

// A sum of excesses that neither falls below zero nor forgets too slowly.
struct Cusum {
  double value = 0;
  void add(double excess, double most);
};

// A running mean; its first value is taken whole.
class Ewma {
 public:
  explicit Ewma(double keep) : keep_(keep) {}
  void add(double x) { value_ = begun_ ? keep_ * value_ + (1 - keep_) * x : x, begun_ = true; }
  [[nodiscard]] double value() const { return value_; }
  [[nodiscard]] bool begun() const { return begun_; }

 private:
  double keep_;
  double value_ = 0;
  bool begun_ = false;
};

// Arm A, the alarm: failures against completions. What completes in the same cohort is in the
// denominator, which is what makes a crowd harmless: its completions grow with its SYNs.
class FailureArm {
 public:
  struct Config {
    double allowed = 0.35;  // Failures a completion.
    double alarm = 1.05, most = 3.15;
    unsigned calm = 5;  // Cohorts in a row that end the alarm.
    double keep = 0.9;
  };
  explicit FailureArm(const Config& config) : config_(config), usual_(config.keep) {}

  // Per second; `least`: completions below which a server counts as idle.
  void cohort(double failed, double completed, double least);
  [[nodiscard]] double excess() const { return excess_; }  // Of the last cohort.
  [[nodiscard]] double level() const { return sum_.value; }
  [[nodiscard]] double usual_completed() const { return usual_.value(); }
  [[nodiscard]] bool bad() const { return excess_ > config_.allowed; }
  [[nodiscard]] bool alarm() const { return alarm_; }

 private:
  Config config_;
  Cusum sum_;
  Ewma usual_;
  double excess_ = 0;
  unsigned calm_ = 0;
  bool alarm_ = false;
};

// Arm B, a warning: the share that fails against the share that usually does. Finds floods that are
// small beside a busy server's traffic, and clients that began to give up.
class RatioArm {
 public:
  struct Config {
    double allowed = 0.08, warn = 0.15, most = 0.6;
    unsigned samples = 30;  // A cohort with fewer says nothing but that time passes.
    double keep = 0.9;
  };
  explicit RatioArm(const Config& config) : config_(config), usual_(config.keep) {}

  void cohort(double failed_share, unsigned samples);
  [[nodiscard]] double level() const { return sum_.value; }
  [[nodiscard]] double usual_share() const { return usual_.value(); }
  [[nodiscard]] bool warn() const { return sum_.value > config_.warn; }

 private:
  Config config_;
  Cusum sum_;
  Ewma usual_;
};

// Handshakes and failures of one kind of source, over some seconds.
struct Stratum {
  double syns = 0, failed = 0;
  unsigned samples = 0, failed_samples = 0;
  [[nodiscard]] double failed_share() const { return syns > 0 ? failed / syns : 0; }
};

// Arm C, an alarm: sources of prefixes never seen to complete against those of known ones. Whatever
// goes wrong here or on the way (loss, a slow page that people leave) befalls both; forged
// addresses are nearly all unknown. The known are the control group, so this arm says nothing where
// too few are known: at a start, or in a crowd that never came before.
class ControlArm {
 public:
  struct Config {
    double allowed = 0.2, alarm = 0.2, most = 1.0;
    unsigned known_samples = 30, failed_samples = 20;  // Fewer say nothing.
    double least_failed = 0.06;  // Of what usually completes: fewer failures are not worth a word.
  };
  explicit ControlArm(const Config& config) : config_(config) {}

  void cohort(const Stratum& known, const Stratum& unknown, double usual_completed);
  [[nodiscard]] double level() const { return sum_.value; }
  [[nodiscard]] bool bad() const { return bad_; }
  [[nodiscard]] bool alarm() const { return sum_.value > config_.alarm; }

 private:
  Config config_;
  Cusum sum_;
  bool bad_ = false;
};

}  // namespace estab::observe
