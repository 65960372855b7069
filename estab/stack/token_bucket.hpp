// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>

#include "estab/base/random.hpp"
#include "estab/base/time.hpp"

namespace estab {

// So many answers a second to those who have no connection; the burst is refilled to within 20 %
// by chance, so that nobody reads a secret off the count.
class TokenBucket {
 public:
  TokenBucket(std::uint32_t rate, std::uint64_t seed) : rate_(rate), tokens_(rate), random_(seed) {}
  [[nodiscard]] bool take(Instant now) {
    if (now - filled_ >= 1s) {
      filled_ = now;
      tokens_ = rate_ - std::uint32_t(random_.below(rate_ / 5 + 1));
    }
    if (tokens_ == 0) return false;
    --tokens_;
    return true;
  }

 private:
  std::uint32_t rate_, tokens_;
  Instant filled_{};
  Random random_;
};

}  // namespace estab
