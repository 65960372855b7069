// SPDX-License-Identifier: Apache-2.0
#include "estab/tcp/flight.hpp"

#include <algorithm>
#include <cassert>

namespace estab::tcp {

void Flight::count(const Record& r, int sign) {
  const auto octets = std::uint32_t(sign) * r.length();
  if (r.sacked) sacked_ += octets;
  else if (!r.lost || r.in_retransmission) pipe_ += octets;
  else lost_waiting_ += octets;
}

template <class F>
void Flight::change(Record& record, F&& f) {
  count(record, -1);
  f(record);
  count(record, +1);
}

std::size_t Flight::find(Seq at) const {
  const auto it =
      std::ranges::partition_point(records_, [&](const Record& r) { return r.end <= at; });
  return std::size_t(it - records_.begin());
}

bool Flight::split(std::size_t index, Seq at, std::size_t limit) {
  if (records_[index].begin == at) return true;
  if (records_.size() >= limit) return false;
  Record right = records_[index];
  right.begin = at;
  records_[index].end = at;
  records_.insert(records_.begin() + std::ptrdiff_t(index) + 1, right);
  return true;
}

// A burst shares one record: what goes out in the same moment is not told apart.
void Flight::sent(Seq begin, Seq end, Instant now) {
  assert(records_.empty() || records_.back().end == begin);
  if (!records_.empty()) {
    Record& last = records_.back();
    if (last.sent_at == now && !last.sacked && !last.lost && !last.retransmitted)
      return change(last, [&](Record& r) { r.end = end; });
  }
  records_.push_back({.begin = begin, .end = end, .sent_at = now});
  count(records_.back(), +1);
}

void Flight::sent_again(Seq begin, Seq end, Instant now) {
  for (std::size_t i = find(begin); i < records_.size() && records_[i].begin < end; ++i) {
    if (records_[i].begin < begin && split(i, begin, SIZE_MAX)) ++i;
    if (end < records_[i].end) (void)split(i, end, SIZE_MAX);
    change(records_[i], [&](Record& r) {
      r.lost = r.in_retransmission = r.retransmitted = true;
      r.sent_at = now;
    });
  }
}

Flight::Acked Flight::acknowledge(Seq una) {
  Acked told;
  std::size_t gone = 0;
  for (auto& r : records_) {
    if (una <= r.begin) break;
    const Seq end = earlier(r.end, una);
    if (!r.sacked) told.delivered += distance(r.begin, end);
    if (r.retransmitted) told.retransmitted = true;
    else if (!r.sacked) told.sample_from = r.sent_at;
    change(r, [&](Record& record) { record.begin = end; });
    if (r.length() == 0) ++gone;
  }
  records_.erase(records_.begin(), records_.begin() + std::ptrdiff_t(gone));
  return told;
}

void Flight::sack(const wire::SackBlock& block, std::size_t record_limit, Acked& told) {
  for (std::size_t i = find(block.begin); i < records_.size() && records_[i].begin < block.end;
       ++i) {
    if (records_[i].sacked) continue;
    if (records_[i].begin < block.begin) {
      if (!split(i, block.begin, record_limit)) continue;
      ++i;
    }
    if (block.end < records_[i].end && !split(i, block.end, record_limit)) continue;
    change(records_[i], [&](Record& r) {
      told.delivered += r.length();
      if (r.retransmitted) told.retransmitted = true;
      else told.sample_from = r.sent_at;
      r.sacked = true;
      r.lost = r.in_retransmission = false;
    });
  }
}

bool Flight::mark_lost(std::uint32_t mss, unsigned threshold) {
  std::uint32_t above = 0;
  unsigned runs = 0;
  bool marked = false, in_run = false;
  for (auto r = records_.rbegin(); r != records_.rend(); ++r) {
    if (r->sacked) {
      above += r->length();
      if (!in_run) ++runs;
      in_run = true;
      continue;
    }
    in_run = false;
    const bool lost = above > (threshold - 1) * mss || runs >= threshold;
    if (!lost || r->lost) continue;
    change(*r, [](Record& record) { record.lost = true, record.in_retransmission = false; });
    marked = true;
  }
  return marked;
}

void Flight::mark_first_lost(std::uint32_t octets) {
  if (records_.empty()) return;
  const Seq end = records_.front().begin + octets;
  for (std::size_t i = 0; i < records_.size() && records_[i].begin < end; ++i) {
    if (end < records_[i].end) (void)split(i, end, SIZE_MAX);
    if (records_[i].sacked) continue;
    change(records_[i], [](Record& r) { r.lost = true, r.in_retransmission = false; });
  }
}

void Flight::mark_all_lost() {
  for (auto& record : records_)
    change(record, [](Record& r) { r.lost = true, r.sacked = r.in_retransmission = false; });
}

void Flight::mark_larger_lost(std::uint32_t octets) {
  for (auto& record : records_)
    if (record.length() > octets && !record.sacked)
      change(record, [](Record& r) { r.lost = true, r.in_retransmission = false; });
}

std::optional<Flight::Stretch> Flight::next_lost() const {
  if (lost_waiting_ == 0) return std::nullopt;
  const auto waits = [](const Record& r) { return r.lost && !r.in_retransmission && !r.sacked; };
  const auto first = std::ranges::find_if(records_, waits);
  auto last = first;
  while (last + 1 != records_.end() && waits(*(last + 1))) ++last;
  return Stretch{first->begin, last->end};
}

std::optional<Flight::Stretch> Flight::next_unsacked() const {
  if (sacked_ == 0) return std::nullopt;
  const auto first = std::ranges::find_if(
      records_, [](const Record& r) { return !r.sacked && !r.in_retransmission && !r.lost; });
  if (first == records_.end()) return std::nullopt;
  const bool below = std::any_of(first, records_.end(), [](const Record& r) { return r.sacked; });
  return below ? std::optional(Stretch{first->begin, first->end}) : std::nullopt;
}

}  // namespace estab::tcp
