// SPDX-License-Identifier: Apache-2.0
#include "estab/stack/syn_cache.hpp"

#include <algorithm>
#include <bit>
#include <new>

namespace estab {

void SynCache::reserve(std::uint32_t records) {
  if (capacity() > 0) return;
  const std::uint32_t places = std::bit_ceil(std::max<std::uint32_t>(records, ways));
  tags_.resize(places);
  slots_ = std::make_unique_for_overwrite<std::byte[]>(places * sizeof(Slot));
}

SynCache::Index SynCache::find(std::uint64_t hash, const Flow& flow) const {
  if (size_ == 0) return none;
  const Tag tag = tag_of(hash);
  for (Index at = first_of(hash), end = at + ways; at < end; ++at)
    if (tags_[at] == tag && slot(at).record.flow == flow) return at;
  return none;
}

SynCache::Index SynCache::find(Index index, std::uint32_t generation) const {
  if (index >= capacity() || tags_[index] == free) return none;
  return slot(index).generation == generation ? index : none;
}

SynCache::Index SynCache::free_place(std::uint64_t hash) const {
  if (capacity() == 0) return none;
  const auto begin = tags_.begin() + first_of(hash);
  const auto place = std::find(begin, begin + ways, free);
  return place == begin + ways ? none : Index(place - tags_.begin());
}

tcp::HalfOpen& SynCache::emplace(Index place, std::uint64_t hash, const tcp::HalfOpen& record) {
  tags_[place] = tag_of(hash);
  ++size_;
  if (++last_generation_ == 0) ++last_generation_;
  return (new (&slots_[place * sizeof(Slot)])
              Slot{.record = record, .generation = last_generation_})
      ->record;
}

void SynCache::erase(Index at) {
  leave_queue(slot(at));
  tags_[at] = free;
  --size_;
}

void SynCache::leave_queue(Slot& leaving) {
  if (leaving.queue == none_waiting) return;
  Queue& queue = queues_[leaving.queue];
  (leaving.previous == none ? queue.first : slot(leaving.previous).next) = leaving.next;
  (leaving.next == none ? queue.last : slot(leaving.next).previous) = leaving.previous;
  leaving.queue = none_waiting;
}

void SynCache::wait(Index at, Instant due) {
  Slot& waiting = slot(at);
  leave_queue(waiting);
  waiting.due = due;
  waiting.queue =
      std::uint8_t(std::min<unsigned>(waiting.record.retransmissions, most_retransmissions));
  Queue& queue = queues_[waiting.queue];
  waiting.previous = queue.last;
  waiting.next = none;
  (queue.last == none ? queue.first : slot(queue.last).next) = at;
  queue.last = at;
}

SynCache::Index SynCache::pop_due(Instant now) {
  for (const Queue& queue : queues_)
    if (const Index at = queue.first; at != none && slot(at).due <= now)
      return leave_queue(slot(at)), at;
  return none;
}

Instant SynCache::next_deadline() const {
  Instant next = never;
  for (const Queue& queue : queues_)
    if (queue.first != none) next = std::min(next, slot(queue.first).due);
  return next;
}

}  // namespace estab
