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

// In the order of RFC 6191 §2's cases. SYNs that do not open anew are not dropped in silence but
// answered by an ACK (RFC 9293 §3.10.7.4; Linux).
bool syn_may_reuse(const Config& config, const TimeWait& record, const Segment& syn) {
  if (!syn.flags.syn || syn.flags.ack || syn.flags.rst || syn.flags.fin) return false;
  const bool has_timestamps = config.timestamps && syn.options.timestamps;
  if (has_timestamps && !record.has_timestamps) return true;  // PAWS will tell old from new.
  if (has_timestamps) {
    const auto later_by = std::int32_t(syn.options.timestamps->value - record.ts_recent);
    if (later_by != 0) return later_by > 0;
  }
  return syn.seq > record.rcv_nxt;
}

TimeWaitOutcome segment_arrives(const Config& config, TimeWait& record, const Segment& seg) {
  using enum TimeWaitVerdict;
  if (syn_may_reuse(config, record, seg)) return {reuse, Reason::time_wait_reuse};
  if (seg.flags.rst) {
    if (!config.rst_ends_time_wait) return {drop, Reason::rst_time_wait};
    return seg.seq == record.rcv_nxt ? TimeWaitOutcome{end, Reason::rst_arrived}
                                     : TimeWaitOutcome{drop, Reason::rst_out_of_window};
  }
  const bool stamped = record.has_timestamps && seg.options.timestamps;
  if (stamped && std::int32_t(seg.options.timestamps->value - record.ts_recent) < 0)
    return {acknowledge, Reason::paws};
  if (seg.flags.syn) return {acknowledge, Reason::syn_challenged};
  if (seg.flags.fin && seg.seq + seg.text + 1 == record.rcv_nxt)
    return {restart, Reason::time_wait_restart};
  if (seg.seq != record.rcv_nxt || seg.len() > 0) return {acknowledge, Reason::out_of_window};
  // Only what is acceptable and acknowledges our FIN tells the peer's time (RFC 7323 §4.3).
  if (stamped && seg.flags.ack && seg.ack == record.snd_nxt)
    record.ts_recent = seg.options.timestamps->value;
  return {drop, Reason::none};
}

}  // namespace estab::tcp
