// SPDX-License-Identifier: Apache-2.0
// The demultiplexer: an open-addressing table from a keyed hash of the pair of sockets to what
// stands there (design: decision 8). Entries are 8 bytes; the flow itself is the record's.
#pragma once
#include <cstdint>
#include <vector>

namespace estab {

enum class Kind : std::uint8_t { connection, time_wait };

class Demux {
 public:
  struct Ref {
    std::uint32_t index : 30;
    std::uint32_t kind : 2;
    [[nodiscard]] Kind what() const { return Kind(kind); }
  };
  Demux() : entries_(64) {}

  // The first entry of this hash for which `is(Ref)` holds, or null.
  template <class F>
  [[nodiscard]] Ref* find(std::uint32_t hash, F&& is) {
    for (std::size_t at = hash & mask();; at = (at + 1) & mask()) {
      Entry& entry = entries_[at];
      if (!entry.used()) return nullptr;
      if (entry.hash == hash && is(entry.ref)) return &entry.ref;
    }
  }
  void insert(std::uint32_t hash, Kind kind, std::uint32_t index);
  // Takes out the entry of this hash, kind and index; it is there.
  void erase(std::uint32_t hash, Kind kind, std::uint32_t index);

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::size_t bytes() const { return entries_.size() * sizeof(Entry); }

 private:
  struct Entry {
    std::uint32_t hash = 0;
    Ref ref{.index = 0, .kind = free};
    [[nodiscard]] bool used() const { return ref.kind != free; }
  };
  static constexpr std::uint32_t free = 3;
  [[nodiscard]] std::size_t mask() const { return entries_.size() - 1; }
  void place(Entry entry);
  void resize(std::size_t entries);

  std::vector<Entry> entries_;  // A power of two; at most three quarters are in use.
  std::size_t size_ = 0;
};

}  // namespace estab
