// SPDX-License-Identifier: Apache-2.0
#include "estab/observe/handshake_sample.hpp"

#include <algorithm>
#include <bit>
#include <cassert>

namespace estab::observe {
namespace {

bool sampled(std::uint64_t hash, unsigned bits) { return bits == 0 || hash >> (64 - bits) == 0; }

}  // namespace

HandshakeSample::HandshakeSample(std::size_t capacity)
    : entries_(capacity), buckets_(std::bit_ceil(capacity), none) {
  assert(64 <= capacity && capacity <= 32768);
  for (std::size_t i = capacity; i-- > 0;) {
    entries_[i].next = free_;
    free_ = std::uint16_t(i);
  }
}

HandshakeSample::Entry* HandshakeSample::find(std::uint64_t hash) {
  for (auto i = bucket(hash); i != none; i = entries_[i].next)
    if (entries_[i].hash == hash) return &entries_[i];
  return nullptr;
}

HandshakeSample::Entry* HandshakeSample::add(std::uint64_t hash, const Flow& flow, Instant syn,
                                             std::size_t place) {
  auto& listener = places_[place];
  if (!sampled(hash, listener.bits)) return nullptr;
  while (free_ == none) {
    thin();
    if (!sampled(hash, listener.bits)) return nullptr;
  }
  const auto i = free_;
  auto& entry = entries_[i];
  free_ = entry.next;
  entry = {.record = {flow, syn},
           .hash = hash,
           .next = bucket(hash),
           .place = std::uint8_t(place),
           .bits = std::uint8_t(listener.bits),
           .taken = true};
  bucket(hash) = i;
  ++size_, ++listener.size;
  return &entry;
}

void HandshakeSample::move(Entry& entry, std::size_t place) {
  --places_[entry.place].size;
  ++places_[place].size;
  entry.place = std::uint8_t(place);
}

void HandshakeSample::move_all(std::size_t from, std::size_t to) {
  for_each([&](Entry& entry) {
    if (entry.place == from) move(entry, to);
  });
  places_[from].bits = 0;
}

// The listener that has the most asks for one bit more, and so again until somebody went.
void HandshakeSample::thin() {
  const auto largest = std::ranges::max_element(places_, {}, &Place::size);
  const auto place = std::uint8_t(largest - places_.begin());
  const auto bits = ++largest->bits;
  for_each([&](Entry& entry) {
    if (entry.place != place) return;
    if (!sampled(entry.hash, bits)) remove(entry);
    else entry.bits = std::max(entry.bits, std::uint8_t(bits));
  });
}

void HandshakeSample::recover() {
  if (size_ >= entries_.size() / 4) return;
  for (auto& place : places_)
    if (place.bits > 0) --place.bits;
}

void HandshakeSample::remove(Entry& entry) {
  const auto i = std::uint16_t(&entry - entries_.data());
  auto* link = &bucket(entry.hash);
  while (*link != i) link = &entries_[*link].next;
  *link = entry.next;
  --size_, --places_[entry.place].size;
  entry.taken = false;
  entry.next = free_;
  free_ = i;
}

}  // namespace estab::observe
