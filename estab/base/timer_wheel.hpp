// SPDX-License-Identifier: Apache-2.0
// A hierarchical timing wheel (Varghese, Lauck 1987): arming and disarming take constant time and
// no memory but the node. A node lies at the level of the highest group of six bits in which its
// tick differs from the wheel's, so the first slot of the lowest level in use is the earliest.
#pragma once
#include <array>
#include <cstdint>

#include "estab/base/time.hpp"
#include "estab/base/work.hpp"

namespace estab {

// Embedded in what it wakes; it must be disarmed before it is destroyed.
struct TimerNode {
  TimerNode* next = nullptr;
  TimerNode** link = nullptr;  // What points at this node; null: not armed.
  Instant deadline = never;
  [[nodiscard]] bool armed() const { return link != nullptr; }
};

class TimerWheel {
 public:
  // Arms a node, or moves it; a deadline in the past is due at once.
  void arm(TimerNode& node, Instant deadline);
  void disarm(TimerNode& node);
  // Takes out one node with deadline <= now, or null. Call until null, with a `now` that never
  // goes back; nodes may be armed in between.
  TimerNode* pop_due(Instant now);
  // The same for a call whose work is bounded: each node that is looked at counts one entry. Null
  // as well where the work allows no more; then next_deadline() is in the past.
  TimerNode* pop_due(Instant now, Work& work);
  // No node is due before this; `never` when the wheel is empty. It may be early by what has been
  // disarmed since, never late.
  [[nodiscard]] Instant next_deadline() const;
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  static constexpr unsigned tick_bits = 20;  // A tick is 2^20 ns, about a millisecond.
  static constexpr unsigned slot_bits = 6, slots = 1u << slot_bits, levels = 8;
  struct Level {
    std::uint64_t occupied = 0;
    std::array<TimerNode*, slots> head{};
    std::array<Instant, slots> earliest{};
  };
  static std::uint64_t tick_of(Instant at);
  bool open_first_slot(Instant now);
  void lay_next(Instant now);
  void insert(TimerNode& node);
  static void push(TimerNode*& head, TimerNode& node);
  static void unlink(TimerNode& node);

  std::array<Level, levels> level_{};
  TimerNode* due_ = nullptr;     // Taken from their slots, not yet from us.
  TimerNode* opened_ = nullptr;  // Of the slot that was opened last: to be laid anew, one by one.
  Instant opened_earliest_ = never;
  std::uint64_t now_tick_ = 0;
  std::size_t size_ = 0;
};

}  // namespace estab
