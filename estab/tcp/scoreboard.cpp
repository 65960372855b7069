// SPDX-License-Identifier: Apache-2.0
#include "estab/tcp/scoreboard.hpp"

#include <algorithm>

namespace estab::tcp {
namespace {

// Sent once, and nothing is known of it.
bool is_plain(const Scoreboard::Record& r) { return !r.sacked && !r.lost && !r.retransmitted; }

}  // namespace

void Scoreboard::count(const Record& r, int sign) {
  const auto octets = std::uint32_t(sign) * r.length();
  if (r.sacked) sacked_ += octets;
  else if (r.waits()) lost_ += octets;
  else pipe_ += octets;
  if (!r.sacked || r.begin < judged_) return;
  sacked_above_ += octets;
  ranges_above_ += std::uint32_t(sign);
}

template <class F>
void Scoreboard::change(Record& record, F&& f) {
  count(record, -1);
  f(record);
  count(record, +1);
}

void Scoreboard::mark(Record& record) {
  change(record, [](Record& r) { r.lost = true, r.in_retransmission = false; });
  hole_ = earlier(hole_, record.begin);
}

std::size_t Scoreboard::find(Seq at) const {
  return records_.partition_point([&](const Record& r) { return r.end <= at; });
}

// The records take at most an eighth of the data that they are about, though the ring that holds
// them may be half empty: a peer that SACKs every other octet costs no more.
std::size_t Scoreboard::record_limit() const {
  return std::max<std::size_t>(128, octets() / (16 * sizeof(Record)));
}

void Scoreboard::split(std::size_t index, Seq at) {
  Record right = records_[index];
  if (right.begin == at) return;
  count(right, -1);
  right.begin = at;
  records_[index].end = at;
  count(records_[index], +1);
  count(right, +1);
  records_.insert(index + 1, right);
}

void Scoreboard::sent(Seq begin, Seq end, std::uint32_t segment, Instant now) {
  assert(empty() || records_.back().end == begin);
  if (empty()) judged_ = hole_ = begin;
  while (begin != end) {
    const Seq next = begin + std::min(distance(begin, end), segment);
    // Past the limit, small segments share the record of what was sent before them.
    if (records_.size() >= record_limit() && is_plain(records_.back())) {
      change(records_.back(), [&](Record& r) { r.end = next, r.sent_at = now; });
    } else {
      records_.push_back({.begin = begin, .end = next, .sent_at = now});
      count(records_.back(), +1);
    }
    begin = next;
  }
}

void Scoreboard::retransmitted(Seq begin, Seq end, Instant now) {
  std::size_t i = find(begin);
  if (i < records_.size() && records_[i].begin < begin) split(i++, begin);
  const std::size_t first = i;
  for (; i < records_.size() && records_[i].begin < end; ++i) {
    if (end < records_[i].end) split(i, end);
    change(records_[i], [&](Record& r) {
      if (r.sacked) return;
      r.lost = r.in_retransmission = r.retransmitted = true;
      r.sent_at = now;
    });
    // One packet, one record: what was cut in another place before is joined here.
    if (i > first && records_[i - 1].sent_at == now && !records_[i].sacked &&
        !records_[i - 1].sacked)
      i = join_with_next(i - 1);
  }
}

std::size_t Scoreboard::join_with_next(std::size_t index) {
  const Record next = records_[index + 1];
  count(next, -1);
  records_.erase(index + 1);
  change(records_[index], [&](Record& r) {
    r.end = next.end;
    r.retransmitted |= next.retransmitted;
    r.sent_at = std::max(r.sent_at, next.sent_at);
  });
  return index;
}

Scoreboard::Acked Scoreboard::acknowledge(Seq una) {
  Acked told;
  while (!empty() && records_.front().begin < una) {
    Record& r = records_.front();
    const Seq end = earlier(r.end, una);
    if (!r.sacked) {  // Else it was told before.
      told.delivered += distance(r.begin, end);
      if (r.retransmitted) told.retransmitted = true;
      else told.sample_from = r.sent_at;
    }
    count(r, -1);
    r.begin = end;
    if (end == r.end) records_.pop_front();
    else count(r, +1);
  }
  judged_ = later(judged_, una);
  hole_ = later(hole_, una);
  return told;
}

void Scoreboard::sack(const wire::SackBlock& block, Acked& told) {
  for (std::size_t i = find(block.begin); i < records_.size() && records_[i].begin < block.end;
       ++i) {
    if (records_[i].sacked) continue;
    const bool in_part = records_[i].begin < block.begin || block.end < records_[i].end;
    if (in_part && records_.size() + 2 > record_limit()) continue;
    if (records_[i].begin < block.begin) split(i++, block.begin);
    if (block.end < records_[i].end) split(i, block.end);
    change(records_[i], [&](Record& r) {
      told.delivered += r.length();
      if (r.retransmitted) told.retransmitted = true;
      else told.sample_from = r.sent_at;
      r.sacked = true;
      r.lost = r.in_retransmission = false;
    });
    if (i + 1 < records_.size() && records_[i + 1].sacked) join_sacked(i);
    if (i > 0 && records_[i - 1].sacked) join_sacked(--i);
  }
}

// SACKed neighbours become one record: what is known of them is the same. A range that reaches
// over `judged_` has nothing below it that were still to be judged.
void Scoreboard::join_sacked(std::size_t index) {
  join_with_next(index);
  Record& range = records_[index];
  if (range.begin < judged_) judged_ = later(judged_, range.end);
}

bool Scoreboard::mark_lost(std::uint32_t mss, unsigned threshold) {
  bool marked = false;
  for (std::size_t i = find(judged_); i < records_.size(); ++i) {
    if (sacked_above_ <= (threshold - 1) * mss && ranges_above_ < threshold) break;
    Record& r = records_[i];
    count(r, -1);
    judged_ = r.end;
    count(r, +1);
    if (r.sacked || r.lost) continue;
    mark(r);
    marked = true;
  }
  return marked;
}

void Scoreboard::mark_first_lost(std::uint32_t octets) {
  if (empty()) return;
  const Seq end = records_.front().begin + octets;
  for (std::size_t i = 0; i < records_.size() && records_[i].begin < end; ++i) {
    if (records_[i].sacked) continue;
    if (end < records_[i].end) split(i, end);
    mark(records_[i]);
  }
}

void Scoreboard::mark_all_lost() {
  if (empty()) return;
  hole_ = records_.front().begin;
  judged_ = records_.back().end;
  pipe_ = sacked_ = sacked_above_ = ranges_above_ = 0;
  lost_ = octets();
  for (std::size_t i = 0; i < records_.size(); ++i) {
    records_[i].lost = true;
    records_[i].sacked = records_[i].in_retransmission = false;
  }
}

bool Scoreboard::mark_larger_lost(std::uint32_t octets) {
  bool marked = false;
  for (std::size_t i = 0; i < records_.size(); ++i) {
    Record& r = records_[i];
    if (r.length() <= octets || r.sacked || r.waits()) continue;
    mark(r);
    marked = true;
  }
  return marked;
}

std::optional<Scoreboard::Stretch> Scoreboard::next_lost(std::uint32_t most) {
  if (lost_ == 0) return std::nullopt;
  std::size_t i = find(hole_);
  while (!records_[i].waits()) ++i;
  Stretch stretch{records_[i].begin, records_[i].end};
  hole_ = stretch.begin;
  for (++i; i < records_.size() && records_[i].waits(); ++i) {
    if (distance(stretch.begin, stretch.end) >= most) break;
    stretch.end = records_[i].end;
  }
  return stretch;
}

// What is below `judged_` is SACKed or lost, so the cursor may pass whatever is either.
std::optional<Scoreboard::Stretch> Scoreboard::next_unsacked() {
  for (std::size_t i = find(judged_); i < records_.size() && ranges_above_ > 0; ++i) {
    const Record& r = records_[i];
    if (!r.sacked && !r.lost) return Stretch{r.begin, r.end};
    count(r, -1);
    judged_ = r.end;
    count(r, +1);
  }
  return std::nullopt;
}

}  // namespace estab::tcp
