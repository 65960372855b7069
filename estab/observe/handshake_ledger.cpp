// SPDX-License-Identifier: Apache-2.0
#include "estab/observe/handshake_ledger.hpp"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>

namespace estab::observe {

HandshakeLedger::HandshakeLedger(std::size_t capacity)
    : entries_(capacity), buckets_(std::bit_ceil(capacity), none) {
  assert(16 <= capacity && capacity <= 32768);
  for (std::size_t i = capacity; i-- > 0;) {
    entries_[i].next = free_;
    free_ = std::uint16_t(i);
  }
}

void HandshakeLedger::open(std::uint32_t cohort) {
  const auto& last = at(newest_);
  unsigned bits = 0;
  // Recovers slowly: a SYN that was not sampled in its own cohort must not look new in the next.
  if (cohort - newest_ < live_cohorts && last.bits > 0)
    bits = last.size < entries_.size() / 8 ? last.bits - 1 : last.bits;
  newest_ = cohort;
  at(cohort) = {.number = cohort, .bits = bits};
}

HandshakeLedger::Entry* HandshakeLedger::find(std::uint64_t hash) {
  for (auto i = bucket(hash); i != none; i = entries_[i].next)
    if (entries_[i].hash == hash) return &entries_[i];
  return nullptr;
}

HandshakeLedger::Entry* HandshakeLedger::syn(std::uint64_t hash, const Address& source) {
  if (auto* entry = find(hash)) {
    entry->syns = std::uint8_t(std::min(entry->syns + 1, 255));
    return entry;
  }
  if (!sampled(hash, at(newest_).bits)) return nullptr;
  while (free_ == none) {
    thin();
    if (!sampled(hash, at(newest_).bits)) return nullptr;
  }
  const auto i = free_;
  auto& entry = entries_[i];
  free_ = entry.next;
  entry = {.hash = hash, .source = source, .cohort = newest_, .next = bucket(hash), .syns = 1};
  bucket(hash) = i;
  ++size_, ++at(newest_).size;
  return &entry;
}

double HandshakeLedger::weight(std::uint32_t cohort) const {
  return std::ldexp(1.0, int(cohorts_[cohort % live_cohorts].bits));
}

// The largest cohort asks for one bit more, and so again until somebody went.
void HandshakeLedger::thin() {
  auto& largest = *std::ranges::max_element(cohorts_, {}, &Cohort::size);
  ++largest.bits;
  for (auto& entry : entries_)
    if (entry.syns > 0 && entry.cohort == largest.number && !sampled(entry.hash, largest.bits))
      remove(entry);
}

void HandshakeLedger::forget(std::uint32_t cohort) {
  if (at(cohort).number != cohort || at(cohort).size == 0) return;
  for (auto& entry : entries_)
    if (entry.syns > 0 && entry.cohort == cohort) remove(entry);
}

void HandshakeLedger::remove(Entry& entry) {
  const auto i = std::uint16_t(&entry - entries_.data());
  auto* link = &bucket(entry.hash);
  while (*link != i) link = &entries_[*link].next;
  *link = entry.next;
  --size_, --at(entry.cohort).size;
  entry.syns = 0;
  entry.next = free_;
  free_ = i;
}

}  // namespace estab::observe
