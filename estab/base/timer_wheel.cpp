// SPDX-License-Identifier: Apache-2.0
#include "estab/base/timer_wheel.hpp"

#include <algorithm>
#include <bit>
#include <utility>

namespace estab {

std::uint64_t TimerWheel::tick_of(Instant at) {
  const auto since = at.time_since_epoch().count();
  return since <= 0 ? 0 : std::uint64_t(since) >> tick_bits;
}

void TimerWheel::arm(TimerNode& node, Instant deadline) {
  if (node.armed()) unlink(node);
  else ++size_;
  node.deadline = deadline;
  insert(node);
}

void TimerWheel::disarm(TimerNode& node) {
  if (!node.armed()) return;
  unlink(node);
  --size_;
}

void TimerWheel::insert(TimerNode& node) {
  const std::uint64_t tick = std::max(tick_of(node.deadline), now_tick_);
  const std::uint64_t differs = tick ^ now_tick_;
  const unsigned at = differs == 0 ? 0 : unsigned(std::bit_width(differs) - 1) / slot_bits;
  const unsigned slot = unsigned(tick >> (at * slot_bits)) % slots;
  Level& level = level_[at];
  const bool first = !(level.occupied >> slot & 1);
  level.earliest[slot] = first ? node.deadline : std::min(level.earliest[slot], node.deadline);
  level.occupied |= std::uint64_t{1} << slot;
  push(level.head[slot], node);
}

void TimerWheel::push(TimerNode*& head, TimerNode& node) {
  node.next = head;
  node.link = &head;
  if (node.next != nullptr) node.next->link = &node.next;
  head = &node;
}

void TimerWheel::unlink(TimerNode& node) {
  *node.link = node.next;
  if (node.next != nullptr) node.next->link = node.link;
  node.next = nullptr;
  node.link = nullptr;
}

TimerNode* TimerWheel::pop_due(Instant now) {
  Work unbounded;
  unbounded.allow(~0u);
  return pop_due(now, unbounded);
}

// A slot that was opened is laid anew as a whole before the first of it is due, so that nodes with
// one deadline come in the order in which they were armed.
TimerNode* TimerWheel::pop_due(Instant now, Work& work) {
  while (opened_ != nullptr || (due_ == nullptr && open_first_slot(now))) {
    if (opened_ == nullptr) continue;
    if (!work.take()) return nullptr;
    lay_next(now);
  }
  // With nothing armed, later nodes may be laid as seen from now.
  if (size_ == 0) now_tick_ = std::max(now_tick_, tick_of(now));
  if (due_ == nullptr || !work.take()) return nullptr;
  TimerNode* node = due_;
  disarm(*node);
  return node;
}

// Opens the earliest slot, if one of its nodes is due; all of them are then laid anew, as seen from
// the slot's first tick. False: nothing is due.
bool TimerWheel::open_first_slot(Instant now) {
  for (unsigned at = 0; at < levels; ++at) {
    Level& level = level_[at];
    while (level.occupied != 0) {
      const auto slot = unsigned(std::countr_zero(level.occupied));
      if (level.head[slot] != nullptr && level.earliest[slot] > now) return false;
      level.occupied &= level.occupied - 1;
      if (level.head[slot] == nullptr) continue;  // All that lay here was disarmed.
      const unsigned shift = at * slot_bits;
      const std::uint64_t above = now_tick_ >> (shift + slot_bits) << (shift + slot_bits);
      now_tick_ = std::max(now_tick_, above | std::uint64_t{slot} << shift);
      opened_ = std::exchange(level.head[slot], nullptr);
      opened_->link = &opened_;
      opened_earliest_ = level.earliest[slot];
      return true;
    }
  }
  return false;
}

void TimerWheel::lay_next(Instant now) {
  TimerNode& node = *opened_;
  unlink(node);
  if (node.deadline <= now) push(due_, node);
  else insert(node);
}

Instant TimerWheel::next_deadline() const {
  const Instant opened = opened_ != nullptr ? opened_earliest_ : never;
  if (due_ != nullptr) return std::min(due_->deadline, opened);
  for (const auto& level : level_) {
    for (auto occupied = level.occupied; occupied != 0; occupied &= occupied - 1) {
      const auto slot = unsigned(std::countr_zero(occupied));
      if (level.head[slot] != nullptr) return std::min(level.earliest[slot], opened);
    }
  }
  return opened;
}

}  // namespace estab
