// SPDX-License-Identifier: Apache-2.0
#include "estab/stack/demux.hpp"

#include <utility>

namespace estab {

void Demux::insert(std::uint32_t hash, Kind kind, std::uint32_t index) {
  if ((size_ + 1) * 4 > entries_.size() * 3) resize(entries_.size() * 2);
  place({hash, {.index = index & 0x3fffffff, .kind = std::uint32_t(kind) & 3}});
  ++size_;
}

void Demux::place(Entry entry) {
  std::size_t at = entry.hash & mask();
  while (entries_[at].used()) at = (at + 1) & mask();
  entries_[at] = entry;
}

// Backward-shift deletion: no tombstones, so that look-ups stay short for ever.
void Demux::erase(std::uint32_t hash, Kind kind, std::uint32_t index) {
  std::size_t at = hash & mask();
  while (entries_[at].hash != hash || entries_[at].ref.what() != kind ||
         entries_[at].ref.index != index)
    at = (at + 1) & mask();
  for (std::size_t next = (at + 1) & mask(); entries_[next].used(); next = (next + 1) & mask()) {
    const std::size_t home = entries_[next].hash & mask();
    // It may move back to `at` unless its home lies in (at, next].
    if (((next - home) & mask()) < ((next - at) & mask())) continue;
    entries_[at] = entries_[next];
    at = next;
  }
  entries_[at] = {};
  --size_;
  if (entries_.size() > 64 && size_ * 8 < entries_.size()) resize(entries_.size() / 2);
}

void Demux::resize(std::size_t entries) {
  std::vector<Entry> old(entries);
  std::swap(old, entries_);
  for (const auto& entry : old)
    if (entry.used()) place(entry);
}

}  // namespace estab
