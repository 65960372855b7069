// SPDX-License-Identifier: Apache-2.0
#include "estab/stack/demux.hpp"

#include <utility>

namespace estab {

void Demux::insert(std::uint32_t hash, Kind kind, std::uint32_t index) {
  Leaf* leaf = &root_;
  unsigned shift = 32;
  while (leaf->node || (leaf->used >= largest / 4 * 3 && shift > last_shift)) {
    if (!leaf->node) split(*leaf, shift - node_bits);
    ++leaf->node->size;
    leaf = &child(*leaf->node, hash, shift -= node_bits);
  }
  put_into_leaf(*leaf, {hash, {.index = index & 0x3fffffff, .kind = std::uint32_t(kind) & 3}});
  ++size_;
}

void Demux::erase(std::uint32_t hash, Kind kind, std::uint32_t index) {
  Leaf* leaf = &root_;
  for (unsigned shift = 32; leaf->node;) {
    if (--leaf->node->size < joined_at) join(*leaf);
    else leaf = &child(*leaf->node, hash, shift -= node_bits);
  }
  std::uint32_t at = hash & leaf->mask();
  const auto is_it = [&](const Entry& e) {
    return e.hash == hash && e.ref.what() == kind && e.ref.index == index;
  };
  while (!is_it(leaf->entries[at])) at = (at + 1) & leaf->mask();
  take_out(*leaf, at);
  --size_;
  if (leaf->used == 0) resize(*leaf, 0);
  else if (leaf->slots > smallest && leaf->used * 8 < leaf->slots) resize(*leaf, leaf->slots / 2);
}

void Demux::put_into_leaf(Leaf& leaf, Entry entry) {
  if ((leaf.used + 1) * 4 > leaf.slots * 3)
    resize(leaf, leaf.slots == 0 ? smallest : leaf.slots * 2);
  place(leaf, entry);
}

void Demux::place(Leaf& leaf, Entry entry) {
  std::uint32_t at = entry.hash & leaf.mask();
  while (leaf.entries[at].used()) at = (at + 1) & leaf.mask();
  leaf.entries[at] = entry;
  ++leaf.used;
}

// Backward-shift deletion: no tombstones, so that look-ups stay short for ever.
void Demux::take_out(Leaf& leaf, std::uint32_t at) {
  const std::uint32_t mask = leaf.mask();
  for (std::uint32_t next = (at + 1) & mask; leaf.entries[next].used(); next = (next + 1) & mask) {
    const std::uint32_t home = leaf.entries[next].hash & mask;
    // It may move back to `at` unless its home lies in (at, next].
    if (((next - home) & mask) < ((next - at) & mask)) continue;
    leaf.entries[at] = leaf.entries[next];
    at = next;
  }
  leaf.entries[at] = {};
  --leaf.used;
}

void Demux::resize(Leaf& leaf, std::uint32_t slots) {
  const Leaf old = std::exchange(leaf, Leaf{});
  leaf.slots = slots;
  if (slots > 0) leaf.entries = std::make_unique<Entry[]>(slots);
  for (std::uint32_t at = 0; at < old.slots; ++at)
    if (old.entries[at].used()) place(leaf, old.entries[at]);
  moved_ += old.used;
  bytes_ += slots * sizeof(Entry);
  bytes_ -= old.slots * sizeof(Entry);
}

void Demux::split(Leaf& leaf, unsigned shift) {
  const Leaf old = std::exchange(leaf, Leaf{});
  leaf.node = std::make_unique<Node>();
  leaf.node->size = old.used;
  bytes_ += sizeof(Node);
  for (std::uint32_t at = 0; at < old.slots; ++at)
    if (const Entry& entry = old.entries[at]; entry.used())
      put_into_leaf(child(*leaf.node, entry.hash, shift), entry);
  moved_ += old.used;
  bytes_ -= old.slots * sizeof(Entry);
}

void Demux::join(Leaf& leaf) {
  const Leaf old = std::exchange(leaf, Leaf{});
  gather(old, leaf);
}

// Moves what stands in a leaf, or under its node, to another leaf.
void Demux::gather(const Leaf& from, Leaf& to) {
  for (std::uint32_t at = 0; at < from.slots; ++at)
    if (from.entries[at].used()) put_into_leaf(to, from.entries[at]);
  moved_ += from.used;
  bytes_ -= from.slots * sizeof(Entry);
  if (!from.node) return;
  for (const Leaf& leaf : from.node->leaves) gather(leaf, to);
  bytes_ -= sizeof(Node);
}

}  // namespace estab
