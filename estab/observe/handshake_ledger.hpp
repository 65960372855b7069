// SPDX-License-Identifier: Apache-2.0
// The detector's measuring instrument: a sample of handshakes, bounded whatever the flood. A
// handshake is kept iff the leading bits of its flow's keyed hash are zero. How many bits is a
// matter of its cohort (the second in which its first SYN came): when the table is full, the
// largest cohort asks for one bit more, and those that lack it go; a cohort that stayed small lets
// the next one ask for one bit less. So each cohort is an unbiased sample at its own known rate, an
// attacker can aim neither at it nor away from it, and a SYN that is repeated falls on the same
// entry. What failed stays for a while after it was judged: it is the evidence, and clients ask
// once more after 7 s.
#pragma once
#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "estab/base/address.hpp"

namespace estab::observe {

class HandshakeLedger {
 public:
  struct Entry {
    std::uint64_t hash = 0;
    Address source;
    std::uint32_t cohort = 0;
    std::uint16_t next = 0;  // Of the same bucket, or of those free.
    std::uint8_t syns = 0;   // 0: the entry is free.
    bool known : 1 = false;  // The source's prefix was known when the first SYN came.
    bool answered : 1 = false;
    bool answered_late : 1 = false;  // In a later cohort: an earlier SYN of it had no answer.
    bool completed : 1 = false;
    bool reset : 1 = false;  // By the client.
    bool data : 1 = false;
    bool left : 1 = false;
    bool failed : 1 = false;  // It was judged, and nothing had come of it.
  };

  // `capacity`: entries of 32 octets, 16..32768.
  explicit HandshakeLedger(std::size_t capacity);

  // Cohorts are opened, judged and forgotten in their order, at most `live_cohorts` at once.
  static constexpr std::uint32_t live_cohorts = 16;
  void open(std::uint32_t cohort);
  // Notes a SYN of the newest cohort: one entry more, or one SYN more on it. Null: not sampled.
  Entry* syn(std::uint64_t hash, const Address& source);
  // Null: not sampled, or too long ago.
  [[nodiscard]] Entry* find(std::uint64_t hash);

  // Each entry of a cohort stands for this many handshakes: a power of two.
  [[nodiscard]] double weight(std::uint32_t cohort) const;
  // Calls f(const Entry&) for all entries of the cohort; those for which it says true failed, and
  // stay. The others are forgotten.
  template <class F>
  void judge(std::uint32_t cohort, F&& f) {
    for (auto& entry : entries_) {
      if (entry.syns == 0 || entry.cohort != cohort) continue;
      entry.failed = f(std::as_const(entry));
      if (!entry.failed) remove(entry);
    }
  }
  void forget(std::uint32_t cohort);
  // Calls f(const Entry&) for all that were judged and failed, if nothing came of them since.
  template <class F>
  void for_each_failure(F&& f) const {
    for (const auto& entry : entries_)
      if (entry.syns > 0 && entry.failed && !entry.completed && !entry.reset) f(entry);
  }
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  struct Cohort {
    std::uint32_t number = 0;
    std::uint32_t size = 0;
    unsigned bits = 0;  // How many leading zeros its hashes must have.
  };
  Cohort& at(std::uint32_t cohort) { return cohorts_[cohort % live_cohorts]; }
  [[nodiscard]] static bool sampled(std::uint64_t hash, unsigned bits) {
    return bits == 0 || hash >> (64 - bits) == 0;
  }
  std::uint16_t& bucket(std::uint64_t hash) { return buckets_[hash & (buckets_.size() - 1)]; }
  void thin();
  void remove(Entry& entry);

  static constexpr std::uint16_t none = 0xffff;
  std::vector<Entry> entries_;
  std::vector<std::uint16_t> buckets_;
  std::uint16_t free_ = none;
  std::size_t size_ = 0;
  std::uint32_t newest_ = 0;
  std::array<Cohort, live_cohorts> cohorts_{};
};

}  // namespace estab::observe
