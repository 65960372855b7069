// SPDX-License-Identifier: Apache-2.0
// TIME-WAIT as a record of 64 bytes (design: decision 6). All wait equally long, so they stand in
// a list in the order in which they end, linked by index.
#pragma once
#include "estab/base/slab.hpp"
#include "estab/tcp/env.hpp"

namespace estab::tcp {

struct TimeWait {
  Flow flow;
  Seq snd_nxt, rcv_nxt;
  std::uint32_t ts_recent = 0, ts_offset = 0;
  std::uint32_t ends_ms : 31 = 0;  // Of the stack's clock, modulo 2^31 ms: 24 days.
  std::uint32_t has_timestamps : 1 = false;
  std::uint32_t before = none, after = none;  // In the list.
  static constexpr std::uint32_t none = ~0u;
};
static_assert(sizeof(TimeWait) <= 64, "a TIME-WAIT record is at most 64 bytes");

class TimeWaitList {
 public:
  static constexpr std::size_t bytes_each = Slab<TimeWait>::bytes_each;  // That a record costs.
  // A record that ends `config.time_wait` after now.
  std::uint32_t add(const TimeWait& record, Instant now, Duration length);
  void restart(std::uint32_t index, Instant now, Duration length);
  void remove(std::uint32_t index);
  [[nodiscard]] TimeWait& operator[](std::uint32_t index) const { return records_[index]; }
  [[nodiscard]] std::size_t size() const { return records_.size(); }
  // The record that ends first, if any, and when.
  [[nodiscard]] std::uint32_t first() const { return first_; }
  [[nodiscard]] Instant ends(std::uint32_t index, Instant now) const;
  template <class F> void for_each(F&& f) const {
    for (auto i = first_; i != TimeWait::none; i = records_[i].after) f(records_[i], i);
  }

 private:
  void link_last(std::uint32_t index, Instant now, Duration length);
  void unlink(std::uint32_t index);
  Slab<TimeWait> records_;
  std::uint32_t first_ = TimeWait::none, last_ = TimeWait::none;
};

// What a segment for a TIME-WAIT record asks for (RFC 9293 §3.10.7.4; RFC 1337; RFC 6191).
enum class TimeWaitVerdict : std::uint8_t { drop, acknowledge, restart, reuse, end };
struct TimeWaitOutcome {
  TimeWaitVerdict verdict;
  Reason reason;
};
// The one rule, whether a record or a connection waits.
[[nodiscard]] TimeWaitOutcome segment_arrives(const Config& config, TimeWait& record,
                                              const Segment& seg);
// RFC 6191 §2 (MAY-2, SHLD-4): whether a SYN may open anew.
[[nodiscard]] bool syn_may_reuse(const Config& config, const TimeWait& record, const Segment& syn);

}  // namespace estab::tcp
