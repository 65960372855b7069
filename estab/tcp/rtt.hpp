// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>

#include "estab/base/time.hpp"

namespace estab::tcp {

// The retransmission timeout by RFC 6298, with its exponential backoff.
class RttEstimator {
 public:
  explicit RttEstimator(Duration initial_rto) : base_(initial_rto) {}

  // RFC 6298 (2.2), (2.3); the floor of the variance's share is Linux's rto_min. A sample ends the
  // back-off, and nothing else that an ACK of data tells does (Karn, MUST-18).
  void sample(Duration rtt, Duration rto_min, Duration rto_max) {
    rtt = std::max(rtt, Duration{1000});
    if (srtt_ == Duration{}) {
      srtt_ = rtt;
      rttvar_ = rtt / 2;
    } else {
      const Duration off = srtt_ > rtt ? srtt_ - rtt : rtt - srtt_;
      rttvar_ = (3 * rttvar_ + off) / 4;
      srtt_ = (7 * srtt_ + rtt) / 8;
    }
    base_ = std::min(srtt_ + std::max(rto_min, 4 * rttvar_), rto_max);
    backoff_ = 0;
  }
  void set_base(Duration rto) { base_ = rto; }
  void back_off() { backoff_ = std::uint8_t(std::min(backoff_ + 1, 30)); }
  void clear_backoff() { backoff_ = 0; }  // It was of zero-window probes.
  [[nodiscard]] unsigned backoff() const { return backoff_; }
  [[nodiscard]] bool measured() const { return srtt_ != Duration{}; }
  [[nodiscard]] Duration srtt() const { return srtt_; }
  [[nodiscard]] Duration rto(Duration rto_max) const {
    const auto factor = std::int64_t{1} << backoff_;
    return base_ > rto_max / factor ? rto_max : base_ * factor;
  }

 private:
  Duration srtt_{}, rttvar_{}, base_;
  std::uint8_t backoff_ = 0;
};

}  // namespace estab::tcp
