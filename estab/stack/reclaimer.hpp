// SPDX-License-Identifier: Apache-2.0
// What happens when a stack's memory, or its number of orphans, comes near its limit (RFC 9293
// §3.8.6.1, RFC 6429): data that came out of order are dropped first, of the largest holders; then
// connections are ended one by one: orphans, those that hold data and make no progress, and, where
// memory is all but spent, those that are idle; until there is room again. It looks at connections
// in turn, at most `looks` of them a step.
#pragma once
#include <vector>

#include "estab/stack/victims.hpp"
#include "estab/tcp/connection.hpp"

namespace estab {

class Reclaimer {
 public:
  static constexpr std::uint32_t looks = 4096;
  static constexpr std::size_t most_ended = 256;  // A step: each sends a reset.
  using Connections = Slab<tcp::Connection>;

  Reclaimer(const HashKey& networks, const tcp::Config& config);

  // More orphans than this are not kept.
  [[nodiscard]] std::size_t orphan_limit() const { return orphan_limit_; }
  // When step() is due; `never`: nothing is near its limit.
  [[nodiscard]] Instant due(const tcp::Memory& memory, std::size_t orphans) const;
  // Does a part of the work, if it is due. Those that are ended stand in env.ended.
  void step(Connections& connections, tcp::Env& env, std::size_t orphans);

 private:
  enum class Phase : std::uint8_t { prune, orphans, stalled, idle };
  [[nodiscard]] bool memory_is_short(const tcp::Memory& memory) const;
  [[nodiscard]] std::uint64_t wanted(const tcp::Memory& memory, std::size_t orphans) const;
  [[nodiscard]] std::uint32_t patience(const tcp::Memory& memory) const;
  void look_at(std::uint32_t index, const tcp::Connection& connection, const tcp::Env& env);
  std::size_t end_some(Connections& connections, tcp::Env& env, std::uint64_t weight);
  void next_phase(tcp::Env& env);

  HashKey key_;
  std::size_t orphan_limit_;
  Phase phase_ = Phase::prune;
  bool for_memory_ = false;  // Memory was short, and has not fallen far enough yet.
  bool for_orphans_ = false;
  std::uint32_t next_ = 0;               // Where to look on.
  std::uint32_t looked_ = 0;             // Since the first phase began.
  Instant not_before_ = Instant::min();  // All were looked at, in vain.
  std::vector<Candidate> candidates_;    // Of this step.
};

}  // namespace estab
