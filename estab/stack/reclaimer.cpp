// SPDX-License-Identifier: Apache-2.0
#include "estab/stack/reclaimer.hpp"

#include <algorithm>

#include "estab/base/known_prefixes.hpp"
#include "estab/tcp/isn.hpp"

namespace estab {
namespace {

using enum State;
constexpr StateSet with_a_peer =
    established | fin_wait_1 | fin_wait_2 | close_wait | closing | last_ack;

constexpr std::uint32_t shortest_patience = 1000;  // ms: a retransmission takes as long.

// How long a connection may hold data without progress: 30 s at 90 % of the budget, less the more
// is spent, and never less than a retransmission takes.
std::uint32_t patience_ms(const tcp::Memory& memory) {
  const std::uint64_t left = memory.limit() - std::min(memory.used(), memory.limit());
  const std::uint64_t tenth = std::max<std::uint64_t>(memory.limit() / 10, 1);
  return std::uint32_t(
      std::max<std::uint64_t>(30'000 * std::min(left, tenth) / tenth, shortest_patience));
}

std::uint64_t memory_goal(const tcp::Memory& memory) {
  return memory.limit() - memory.limit() / 100 * 13;
}

}  // namespace

Reclaimer::Reclaimer(const HashKey& networks, const tcp::Config& config)
    : key_(networks),
      orphan_limit_(std::size_t(std::min<std::uint64_t>(
          config.orphan_limit, std::max<std::uint64_t>(config.memory_limit >> 14, 16)))) {}

bool Reclaimer::memory_is_short(const tcp::Memory& memory) const {
  return memory.pressure() != tcp::MemoryPressure::none ||
         (for_memory_ && memory.used() > memory_goal(memory));
}

Instant Reclaimer::due(const tcp::Memory& memory, std::size_t orphans) const {
  if (!memory_is_short(memory) && orphans <= orphan_limit_) return never;
  return not_before_;
}

// Bytes, or orphans, that are too many.
std::uint64_t Reclaimer::wanted(const tcp::Memory& memory, std::size_t orphans) const {
  if (for_memory_)
    return memory.used() > memory_goal(memory) ? memory.used() - memory_goal(memory) : 0;
  const std::size_t goal = orphan_limit_ - orphan_limit_ / 16;
  return orphans > goal ? orphans - goal : 0;
}

void Reclaimer::step(Connections& connections, tcp::Env& env, std::size_t orphans) {
  const bool short_of_memory = memory_is_short(env.memory), too_many = orphans > orphan_limit_;
  for_orphans_ = too_many && !short_of_memory;
  if (std::exchange(for_memory_, short_of_memory) != short_of_memory)
    phase_ = Phase::prune, next_ = 0, looked_ = 0;
  if ((!short_of_memory && !too_many) || env.now < not_before_) return;
  for (std::uint32_t left = looks; left > 0 && env.now >= not_before_;) {
    candidates_.clear();
    const auto [seen, next] = connections.visit(
        next_, left, [&](auto name, tcp::Connection& c) { look_at(name.index, c, env); });
    left -= std::min(left, std::max(seen, 1u));
    looked_ += seen;
    next_ = next;
    // A part of all gives its part of what is wanted.
    const auto whole = wanted(env.memory, orphans);
    const auto share = whole * seen / std::max<std::size_t>(connections.size(), 1) + (seen > 0);
    const std::size_t ended = end_some(connections, env, std::min(whole, share));
    orphans -= for_orphans_ ? ended : 0;
    if (wanted(env.memory, orphans) == 0) return void(for_memory_ = for_orphans_ = false);
    if (ended == most_ended) return;
    if (next_ == 0) next_phase(env);
  }
}

// ms without progress after which a connection may be ended in this phase.
std::uint32_t Reclaimer::patience(const tcp::Memory& memory) const {
  switch (phase_) {
    case Phase::prune:   return 0;
    case Phase::orphans: return std::max(patience_ms(memory) / 4, shortest_patience);
    case Phase::stalled: return patience_ms(memory);
    case Phase::idle:    return 10'000;
  }
  return 0;
}

void Reclaimer::look_at(std::uint32_t index, const tcp::Connection& c, const tcp::Env& env) {
  if (!with_a_peer.contains(c.state())) return;
  const std::uint32_t overdue = c.progress().overdue(tcp::timestamp_at(env.now));
  const auto concerns_phase = [&] {
    switch (phase_) {
      case Phase::prune:   return c.holds_out_of_order();
      case Phase::orphans: return c.orphan() && overdue > 0;
      case Phase::stalled: return !c.orphan() && c.holds_data() && overdue > 0;
      case Phase::idle:    return !c.orphan() && !c.holds_data() && overdue > 0;
    }
    return false;
  };
  if (!concerns_phase()) return;
  candidates_.push_back({.index = index,
                         .network = hash_source_prefix(key_, c.flow().remote.address),
                         .weight = for_memory_ ? c.charged() : 1,
                         .overdue = overdue});
}

// Returns how many.
std::size_t Reclaimer::end_some(Connections& connections, tcp::Env& env, std::uint64_t weight) {
  if (candidates_.empty()) return 0;
  if (phase_ == Phase::prune) {
    std::ranges::sort(candidates_, std::ranges::greater{}, &Candidate::weight);
    const std::uint64_t before = env.memory.used();
    for (const auto& holder : candidates_) {
      if (before - env.memory.used() >= weight) break;
      connections[holder.index].prune_out_of_order(env);
    }
    return 0;
  }
  const auto victims = choose_victims(candidates_, weight, patience(env.memory), most_ended);
  for (const std::uint32_t index : victims)
    connections[index].give_way(env, for_memory_ ? Reason::memory_reclaimed : Reason::orphan_limit);
  return victims.size();
}

void Reclaimer::next_phase(tcp::Env& env) {
  const bool scarce = env.memory.pressure() == tcp::MemoryPressure::scarce;
  switch (phase_) {
    case Phase::prune: phase_ = Phase::orphans; return;
    case Phase::orphans:
      if (for_memory_) return void(phase_ = Phase::stalled);
      break;
    case Phase::stalled:
      if (scarce) return void(phase_ = Phase::idle);
      break;
    case Phase::idle: break;
  }
  // Nobody is left to end. The more there are to look at, the later again.
  not_before_ = env.now + 250ms + looked_ * Duration{2us};
  phase_ = Phase::prune;
  looked_ = 0;
  for_memory_ = env.memory.pressure() != tcp::MemoryPressure::none;
}

}  // namespace estab
