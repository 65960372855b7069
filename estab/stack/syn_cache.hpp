// SPDX-License-Identifier: Apache-2.0
// The SYN cache (RFC 4987 §3.4): half-open records in buckets of eight by a keyed hash of the pair
// of sockets. Its memory is taken once; a record comes and goes in constant time. Each number of
// retransmissions has a queue: all in it wait equally long, so it is in the order of time.
#pragma once
#include <array>
#include <memory>
#include <vector>

#include "estab/tcp/half_open.hpp"

namespace estab {

class SynCache {
 public:
  using Index = std::uint32_t;
  static constexpr Index none = ~0u;
  static constexpr unsigned ways = 8;
  static constexpr unsigned most_retransmissions = 7;

  SynCache() = default;
  SynCache(const SynCache&) = delete;
  SynCache& operator=(const SynCache&) = delete;
  // Takes the memory for at least so many records, the first time; nothing fits before.
  void reserve(std::uint32_t records);
  [[nodiscard]] std::uint32_t capacity() const { return std::uint32_t(tags_.size()); }
  [[nodiscard]] std::uint32_t size() const { return size_; }

  // The flow's record; `hash` is always the flow's, the same each time.
  [[nodiscard]] Index find(std::uint64_t hash, const Flow& flow) const;
  // What is at this index with this generation still; none.
  [[nodiscard]] Index find(Index index, std::uint32_t generation) const;
  [[nodiscard]] tcp::HalfOpen& operator[](Index at) const { return slot(at).record; }
  // Whether a record is in this place, of capacity() ones.
  [[nodiscard]] bool holds(Index at) const { return tags_[at] != free; }
  [[nodiscard]] std::uint32_t generation(Index at) const { return slot(at).generation; }

  // A free place in the hash's bucket; none: full.
  [[nodiscard]] Index free_place(std::uint64_t hash) const;
  // The record of the hash's bucket that was opened first among those that may go; none.
  template <class MayGo>
  [[nodiscard]] Index oldest_in_bucket(std::uint64_t hash, MayGo&& may_go) const {
    Index oldest = none;
    for (Index at = first_of(hash), end = at + ways; at < end && capacity() > 0; ++at)
      if (tags_[at] != free && may_go(slot(at).record) &&
          (oldest == none || slot(at).record.opened < slot(oldest).record.opened))
        oldest = at;
    return oldest;
  }
  // One of the oldest of all that may go, looking at a few; none.
  template <class MayGo>
  [[nodiscard]] Index oldest(MayGo&& may_go) const {
    constexpr int looks = 32;
    int left = looks;
    for (auto q = queues_.rbegin(); q != queues_.rend(); ++q)
      for (Index at = q->first; at != none && left > 0; at = slot(at).next, --left)
        if (may_go(slot(at).record)) return at;
    return none;
  }
  // Puts a record there. It waits for nothing yet.
  tcp::HalfOpen& emplace(Index place, std::uint64_t hash, const tcp::HalfOpen& record);
  void erase(Index at);

  // Has the record wait until `due`, behind those with as many retransmissions; their waits are as
  // long, so theirs end no later.
  void wait(Index at, Instant due);
  // The record whose wait is over; it waits no longer. none: nobody's is.
  [[nodiscard]] Index pop_due(Instant now);
  [[nodiscard]] Instant next_deadline() const;

  // f(Index, const HalfOpen&) for each that waits, the longest known first; f changes nothing.
  template <class F>
  void for_each(F&& f) const {
    for (auto q = queues_.rbegin(); q != queues_.rend(); ++q)
      for (Index at = q->first; at != none; at = slot(at).next) f(at, slot(at).record);
  }

 private:
  using Tag = std::uint32_t;  // Of the hash, in a table of its own: a bucket's are one cache line.
  static constexpr Tag free = 0;
  static constexpr std::uint8_t none_waiting = 0xff;
  struct Slot {
    tcp::HalfOpen record;
    Instant due{};
    std::uint32_t generation = 0;
    Index previous = none, next = none;
    std::uint8_t queue = none_waiting;
  };
  static_assert(sizeof(Slot) <= 96, "a half-open record is at most 96 bytes");
  struct Queue {
    Index first = none, last = none;
  };

 public:
  // What a record costs, its tag in the table included.
  static constexpr std::size_t bytes_each = sizeof(Slot) + sizeof(Tag);

 private:
  [[nodiscard]] Slot& slot(Index at) const {
    return *std::launder(reinterpret_cast<Slot*>(&slots_[at * sizeof(Slot)]));
  }
  [[nodiscard]] Index first_of(std::uint64_t hash) const {
    return Index(hash & (capacity() / ways - 1)) * ways;
  }
  static Tag tag_of(std::uint64_t hash) { return Tag(hash >> 32) | 1; }
  void leave_queue(Slot& slot);

  std::vector<Tag> tags_;
  std::unique_ptr<std::byte[]> slots_;  // Made where a tag says so: pages unused stay untouched.
  std::array<Queue, most_retransmissions + 1> queues_;
  std::uint32_t size_ = 0, last_generation_ = 0;
};

}  // namespace estab
