// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <ratio>

#include "estab/base/time.hpp"

namespace estab::tcp {

// The retransmission timeout by RFC 6298, with its exponential backoff.
class RttEstimator {
 public:
  explicit RttEstimator(Duration initial_rto) : base_(ticks(initial_rto)) {}

  // RFC 6298 (2.2), (2.3); the floor of the variance's share is Linux's rto_min. A sample ends the
  // back-off, and nothing else that an ACK of data tells does (Karn, MUST-18).
  void sample(Duration rtt, Duration rto_min, Duration rto_max) {
    rtt = std::clamp(rtt, Duration{1000}, longest);
    Duration srtt = rtt, rttvar = rtt / 2;
    if (measured()) {
      const Duration before = srtt_, off = before > rtt ? before - rtt : rtt - before;
      rttvar = (3 * Duration{rttvar_} + off) / 4;
      srtt = (7 * before + rtt) / 8;
    }
    srtt_ = ticks(srtt);
    rttvar_ = ticks(rttvar);
    base_ = ticks(std::min(srtt + std::max(rto_min, 4 * rttvar), rto_max));
    backoff_ = 0;
  }
  void set_base(Duration rto) { base_ = ticks(rto); }
  void back_off() { backoff_ = std::uint8_t(std::min(backoff_ + 1, 30)); }
  void clear_backoff() { backoff_ = 0; }  // It was of zero-window probes.
  [[nodiscard]] unsigned backoff() const { return backoff_; }
  [[nodiscard]] bool measured() const { return srtt_ != Tick{}; }
  [[nodiscard]] Duration srtt() const { return srtt_; }
  [[nodiscard]] Duration rto(Duration rto_max) const {
    const auto factor = std::int64_t{1} << backoff_;
    return base_ > rto_max / factor ? rto_max : Duration{base_} * factor;
  }

 private:
  // Eighths of a microsecond: four octets reach to 536 s.
  using Tick = std::chrono::duration<std::uint32_t, std::ratio<1, 8'000'000>>;
  static constexpr Duration longest = 536s;
  static Tick ticks(Duration d) { return std::chrono::duration_cast<Tick>(std::min(d, longest)); }

  Tick srtt_{}, rttvar_{}, base_;
  std::uint8_t backoff_ = 0;
};

}  // namespace estab::tcp
