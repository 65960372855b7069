// SPDX-License-Identifier: Apache-2.0
#include "estab/stack/answer_limits.hpp"

#include <utility>

namespace estab {

using tcp::Answer;

AnswerLimits::AnswerLimits(const tcp::Config& c, std::uint32_t echo_reply_rate, std::uint64_t seed)
    : kinds_{
          Kind{{}, PrefixMeter{c.prefix_reset_rate}, TokenBucket{c.reset_rate, seed ^ 1}},
          Kind{c.challenge_interval, PrefixMeter{c.prefix_reset_rate},
               TokenBucket{c.reset_rate, seed ^ 2}},
          Kind{c.challenge_interval, PrefixMeter{c.prefix_ack_rate},
               TokenBucket{c.record_ack_rate, seed ^ 3}},
          Kind{c.challenge_interval, PrefixMeter{c.prefix_ack_rate},
               TokenBucket{c.record_ack_rate, seed ^ 4}},
          // A FIN that comes again always gets its ACK: others cannot use it up.
          Kind{c.fin_again_interval, PrefixMeter{c.prefix_ack_rate}, std::nullopt},
          Kind{{},
               PrefixMeter{std::max(echo_reply_rate / 2, 1u)},
               TokenBucket{echo_reply_rate, seed ^ 5}},
      } {}

bool AnswerLimits::take(Answer kind, std::uint64_t flow, std::uint64_t network, Instant now) {
  const auto number = std::to_underlying(kind);
  Kind& limits = kinds_[number];
  Last* last = nullptr;
  if (limits.interval > Duration{}) {
    if (last_.empty()) last_.resize(places);
    flow += number;  // Each kind of a flow has a place of its own.
    last = &last_[flow % places];
    if (last->flow == flow && last->at > now - limits.interval) return false;
  }
  if (!limits.networks.take(network, now)) return false;
  if (limits.stack && !limits.stack->take(now)) return false;
  if (last != nullptr) *last = {flow, now};
  return true;
}

}  // namespace estab
