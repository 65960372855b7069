// SPDX-License-Identifier: Apache-2.0
#include "estab/observe/handshake_rates.hpp"

#include <algorithm>
#include <cmath>

namespace estab::observe {
namespace {

HandshakeSecond settle(const HandshakeRates::Current& c) {
  double share = 1;
  if (const auto remembered = c.first_syns + c.syns_again; remembered > 0)
    share = double(c.first_syns) / remembered;
  // A socket that came and completed between two lists was never told.
  const auto unshown = c.counted - std::min(c.counted, c.left);
  return {.syns = c.first_syns + std::uint32_t(std::lround(c.other_syns * share)) + unshown,
          .answered = c.answered,
          .completed = c.completed};
}

}  // namespace

void HandshakeRates::push(const HandshakeSecond& second) {
  kept_[next_] = second;
  next_ = (next_ + 1) % seconds_kept;
  size_ = std::min(size_ + 1, seconds_kept);
}

void HandshakeRates::end_second(std::int64_t silent_ones) {
  push(settle(current_));
  current_ = {};
  for (auto i = std::min<std::int64_t>(silent_ones, seconds_kept); i > 0; --i) push({});
}

std::vector<HandshakeSecond> HandshakeRates::seconds() const {
  std::vector<HandshakeSecond> seconds;
  seconds.reserve(size_);
  for (std::size_t i = 0; i < size_; ++i)
    seconds.push_back(kept_[(next_ + seconds_kept - size_ + i) % seconds_kept]);
  return seconds;
}

std::uint64_t HandshakeRates::syns() const {
  std::uint64_t sum = 0;
  for (const auto& second : kept_) sum += second.syns;
  return sum;
}

}  // namespace estab::observe
