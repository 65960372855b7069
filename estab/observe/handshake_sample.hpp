// SPDX-License-Identifier: Apache-2.0
// The handshakes of the last minute, or a sample of them, bounded whatever the flood: when there
// are too many, the listener that has the most asks for one leading zero bit more of the flow's
// keyed hash, and its handshakes that lack it go. So those of a quiet listener all stay while
// another is flooded, what is kept is an unbiased sample, and no attacker can aim at it or away
// from it. See HandshakeLedger, which samples by seconds and forgets sooner.
#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "estab/observe/handshake_record.hpp"

namespace estab::observe {

class HandshakeSample {
 public:
  struct Entry {
    HandshakeRecord record;
    std::uint64_t hash = 0;
    std::uint16_t next = 0;  // Of the same bucket, or of those free.
    std::uint8_t place = 0;  // The listener's.
    std::uint8_t bits = 0;   // The most that were asked for since it is here.
    bool taken = false;
    // How many handshakes it stands for.
    [[nodiscard]] std::uint64_t weight() const { return std::uint64_t{1} << bits; }
  };
  static constexpr std::size_t most_places = 255;

  // `capacity`: 64 to 32768; all of its memory is taken at once.
  explicit HandshakeSample(std::size_t capacity);

  // Null: it is not in the sample.
  [[nodiscard]] Entry* find(std::uint64_t hash);
  // The flow is not here. Null: it is not sampled.
  Entry* add(std::uint64_t hash, const Flow& flow, Instant syn, std::size_t place);
  // Whether all handshakes of this listener are kept.
  [[nodiscard]] bool keeps_all(std::size_t place) const { return places_[place].bits == 0; }
  void move(Entry& entry, std::size_t place);
  // All that are at this place move, and it asks for no bits more.
  void move_all(std::size_t from, std::size_t to);
  void remove(Entry& entry);
  // Calls f(Entry&) for all; it may remove that one.
  template <class F> void for_each(F&& f) {
    for (auto& entry : entries_)
      if (entry.taken) f(entry);
  }
  template <class F> void for_each(F&& f) const {
    for (const auto& entry : entries_)
      if (entry.taken) f(entry);
  }
  // Asks for fewer bits where there is room again: call it about once a second.
  void recover();
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  struct Place {
    std::size_t size = 0;
    unsigned bits = 0;
  };
  std::uint16_t& bucket(std::uint64_t hash) { return buckets_[hash & (buckets_.size() - 1)]; }
  void thin();

  static constexpr std::uint16_t none = 0xffff;
  std::vector<Entry> entries_;
  std::vector<std::uint16_t> buckets_;
  std::array<Place, most_places> places_{};
  std::uint16_t free_ = none;
  std::size_t size_ = 0;
};

}  // namespace estab::observe
