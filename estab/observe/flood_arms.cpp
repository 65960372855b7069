// SPDX-License-Identifier: Apache-2.0
#include "estab/observe/flood_arms.hpp"

#include <algorithm>

namespace estab::observe {

void Cusum::add(double excess, double most) { value = std::clamp(value + excess, 0.0, most); }

void FailureArm::cohort(double failed, double completed, double least) {
  excess_ = failed / std::max({usual_.value(), completed, least});
  sum_.add(excess_ - config_.allowed, config_.most);
  calm_ = bad() ? 0 : calm_ + 1;
  if (sum_.value > config_.alarm && bad()) alarm_ = true;
  if (alarm_ && calm_ >= config_.calm) alarm_ = false, sum_.value = 0;
  // What is usual is not learned from an attack.
  if (sum_.value == 0) usual_.add(completed);
}

void RatioArm::cohort(double failed_share, unsigned samples) {
  if (samples < config_.samples) return sum_.add(-config_.allowed, config_.most);
  if (!usual_.begun()) usual_.add(failed_share);
  sum_.add(failed_share - usual_.value() - config_.allowed, config_.most);
  if (sum_.value == 0) usual_.add(failed_share);
}

void ControlArm::cohort(const Stratum& known, const Stratum& unknown, double usual_completed) {
  const bool heard = known.samples >= config_.known_samples &&
                     unknown.failed_samples >= config_.failed_samples &&
                     unknown.failed >= config_.least_failed * usual_completed;
  const double excess =
      heard ? unknown.failed_share() - known.failed_share() - config_.allowed : -config_.allowed;
  bad_ = excess > 0;
  sum_.add(excess, config_.most);
}

}  // namespace estab::observe
