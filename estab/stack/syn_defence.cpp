// SPDX-License-Identifier: Apache-2.0
#include "estab/stack/syn_defence.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace estab {
namespace {

constexpr Duration first_hold = 30s, longest_hold = 480s;
constexpr Duration jitter = 30s;  // So that nobody times his flood by our modes.
constexpr Duration peace = 600s;  // After so long a flood is a first one again.
constexpr double rate_factor = 4;
constexpr double minute = 60;

}  // namespace

void SynDefence::syn(const tcp::Config& config, Instant now) {
  if (now - second_ >= 1s) next_second(now);
  ++syns_;
  const double usual = std::max<double>({double(config.syn_rate_floor), usual_completions_,
                                         double(completions_), double(last_completions_)});
  if (syns_ > rate_factor * usual) {
    enter(SynMode::stateless, now);
    hold(now);
  }
}

void SynDefence::completed(Instant now) {
  if (now - second_ >= 1s) next_second(now);
  ++completions_;
}

// The mean over a minute decays with the seconds, those without a SYN among them.
void SynDefence::next_second(Instant now) {
  const auto seconds = double((now - second_) / 1s);
  usual_completions_ += (completions_ - usual_completions_) / minute;
  usual_completions_ *= std::exp(-(seconds - 1) / minute);
  last_completions_ = seconds < 2 ? completions_ : 0;
  syns_ = completions_ = 0;
  second_ = now;
}

void SynDefence::occupied(std::uint32_t used, std::uint32_t limit, Instant now) {
  const std::uint64_t quarters = std::uint64_t{4} * used;
  const bool few = quarters < limit;
  if (quarters >= std::uint64_t{3} * limit && mode_ == SynMode::normal)
    enter(SynMode::pressure, now);
  if (few && mode_ == SynMode::pressure) enter(SynMode::normal, now);
  if (std::exchange(few_, few) != few) hold(now);
}

void SynDefence::enter(SynMode mode, Instant now) {
  if (mode == mode_) return;
  if (mode == SynMode::stateless)
    hold_ = hold_ > 0s && now - left_at_ < peace ? std::min(2 * hold_, longest_hold) : first_hold;
  if (mode_ == SynMode::stateless) left_at_ = now;
  mode_ = mode;
  since_ = now;
  hold(now);
}

// STATELESS ends after a hold in which it was calm all the time; it begins anew.
void SynDefence::hold(Instant now) {
  leaves_at_ = never;
  if (mode_ == SynMode::stateless && few_)
    leaves_at_ = now + hold_ + Duration(random_.below(std::uint64_t(jitter.count())));
}

void SynDefence::update(Instant now) {
  if (mode_ == SynMode::stateless && leaves_at_ <= now) enter(SynMode::normal, now);
}

}  // namespace estab
