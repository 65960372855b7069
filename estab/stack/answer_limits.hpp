// SPDX-License-Identifier: Apache-2.0
// Whether an answer to a peer that has not proved that it is there may leave: the one place that
// decides it. Each kind of answer has limits of its own, and they are asked from the narrow to the
// wide: the record or connection, its network, the stack. So nobody draws from what another needs.
#pragma once
#include <array>
#include <optional>
#include <vector>

#include "estab/stack/prefix_meter.hpp"
#include "estab/stack/token_bucket.hpp"
#include "estab/tcp/env.hpp"

namespace estab {

// Not thread-safe.
class AnswerLimits {
 public:
  AnswerLimits(const tcp::Config& config, std::uint32_t echo_reply_rate, std::uint64_t seed);

  // `flow` and `network` are keyed hashes: of the pair of sockets, and of the peer's network.
  // False: the answer must not leave; nothing wider than what refused it was drawn from.
  [[nodiscard]] bool take(tcp::Answer kind, std::uint64_t flow, std::uint64_t network, Instant now);

 private:
  struct Kind {
    Duration interval{};  // Between two answers to one flow; 0: any.
    PrefixMeter networks;
    std::optional<TokenBucket> stack;  // None: no limit for all together.
  };
  // When a flow was answered last. Flows share the places: one that was pushed out may be answered
  // early, and none is ever taken for another.
  struct Last {
    std::uint64_t flow = 0;
    Instant at = Instant::min();
  };
  static constexpr std::size_t places = 2048;  // 32 KiB, from the first answer on.

  std::array<Kind, tcp::answer_count> kinds_;
  std::vector<Last> last_;
};

}  // namespace estab
