// SPDX-License-Identifier: Apache-2.0
#include "estab/tcp/time_wait.hpp"

namespace estab::tcp {
namespace {

std::uint32_t ms_of(Instant at) { return std::uint32_t(at.time_since_epoch() / 1ms) & 0x7fffffff; }

}  // namespace

std::uint32_t TimeWaitList::add(const TimeWait& record, Instant now, Duration length) {
  const std::uint32_t index = records_.emplace(record).first.index;
  link_last(index, now, length);
  return index;
}

void TimeWaitList::restart(std::uint32_t index, Instant now, Duration length) {
  unlink(index);
  link_last(index, now, length);
}

void TimeWaitList::remove(std::uint32_t index) {
  unlink(index);
  records_.erase(index);
}

Instant TimeWaitList::ends(std::uint32_t index, Instant now) const {
  // Rounded up to the tick: never early. The difference is taken in 31 bits, sign extended.
  const std::uint32_t apart = records_[index].ends_ms - ms_of(now);
  return Instant{(now.time_since_epoch() / 1ms + (std::int32_t(apart << 1) >> 1)) * 1ms};
}

void TimeWaitList::link_last(std::uint32_t index, Instant now, Duration length) {
  TimeWait& record = records_[index];
  record.ends_ms = ms_of(now + length + 1ms - 1ns);
  record.before = last_;
  record.after = TimeWait::none;
  (last_ != TimeWait::none ? records_[last_].after : first_) = index;
  last_ = index;
}

void TimeWaitList::unlink(std::uint32_t index) {
  const TimeWait& record = records_[index];
  (record.before != TimeWait::none ? records_[record.before].after : first_) = record.after;
  (record.after != TimeWait::none ? records_[record.after].before : last_) = record.before;
}

bool syn_may_reuse(const Segment& syn, Seq rcv_nxt, bool has_timestamps, std::uint32_t ts_recent) {
  if (!syn.flags.syn || syn.flags.ack || syn.flags.rst || syn.flags.fin) return false;
  if (has_timestamps && syn.options.timestamps) {
    const auto later_by = std::int32_t(syn.options.timestamps->value - ts_recent);
    if (later_by != 0) return later_by > 0;
  }
  return syn.seq > rcv_nxt;
}

TimeWaitOutcome segment_arrives(const Config& config, TimeWait& record, const Segment& seg) {
  using enum TimeWaitVerdict;
  if (syn_may_reuse(seg, record.rcv_nxt, record.has_timestamps, record.ts_recent))
    return {reuse, Reason::time_wait_reuse};
  if (seg.flags.rst) {
    if (!config.rst_ends_time_wait) return {drop, Reason::rst_time_wait};
    return seg.seq == record.rcv_nxt ? TimeWaitOutcome{end, Reason::rst_arrived}
                                     : TimeWaitOutcome{drop, Reason::rst_out_of_window};
  }
  if (record.has_timestamps && seg.options.timestamps) {
    if (std::int32_t(seg.options.timestamps->value - record.ts_recent) < 0)
      return {acknowledge, Reason::paws};
    if (seg.seq <= record.rcv_nxt) record.ts_recent = seg.options.timestamps->value;
  }
  if (seg.flags.syn) return {acknowledge, Reason::syn_challenged};
  if (seg.flags.fin && seg.seq + seg.text + 1 == record.rcv_nxt)
    return {restart, Reason::time_wait_restart};
  if (seg.seq == record.rcv_nxt && seg.len() == 0) return {drop, Reason::none};
  return {acknowledge, Reason::out_of_window};
}

}  // namespace estab::tcp
