// SPDX-License-Identifier: Apache-2.0
// The demultiplexer: from a keyed hash of the pair of sockets to what stands there. Entries are 8
// bytes; the flow itself is the record's. It is a tree over the hash's upper bits whose leaves are
// small open-addressing tables: a leaf that is full becomes a node of 64 leaves. So one operation
// moves at most the entries of one leaf, however many connections there are.
#pragma once
#include <array>
#include <cstdint>
#include <memory>

namespace estab {

enum class Kind : std::uint8_t { connection, time_wait };

class Demux {
 public:
  struct Ref {
    std::uint32_t index : 30;
    std::uint32_t kind : 2;
    [[nodiscard]] Kind what() const { return Kind(kind); }
  };
  Demux() = default;
  Demux(const Demux&) = delete;
  Demux& operator=(const Demux&) = delete;

  // The first entry of this hash for which `is(Ref)` holds, or null. It is good until the next
  // insert or erase.
  template <class F>
  [[nodiscard]] Ref* find(std::uint32_t hash, F&& is) {
    Leaf& leaf = leaf_of(hash);
    if (leaf.slots == 0) return nullptr;
    for (std::uint32_t at = hash & leaf.mask();; at = (at + 1) & leaf.mask()) {
      Entry& entry = leaf.entries[at];
      if (!entry.used()) return nullptr;
      if (entry.hash == hash && is(entry.ref)) return &entry.ref;
    }
  }
  void insert(std::uint32_t hash, Kind kind, std::uint32_t index);
  // Takes out the entry of this hash, kind and index; it is there.
  void erase(std::uint32_t hash, Kind kind, std::uint32_t index);

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  // Entries that were moved so far because a leaf grew, shrank, was split or was joined again.
  [[nodiscard]] std::uint64_t moved() const { return moved_; }

 private:
  struct Entry {
    std::uint32_t hash = 0;
    Ref ref{.index = 0, .kind = free};
    [[nodiscard]] bool used() const { return ref.kind != free; }
  };
  struct Node;
  // A table of entries, at most three quarters in use; or, once it was split, a node.
  struct Leaf {
    std::unique_ptr<Entry[]> entries;
    std::unique_ptr<Node> node;
    std::uint32_t slots = 0, used = 0;  // Slots: a power of two, or none.
    [[nodiscard]] std::uint32_t mask() const { return slots - 1; }
  };
  struct Node {
    std::array<Leaf, 64> leaves;
    std::uint32_t size = 0;  // Entries under it.
  };
  static constexpr std::uint32_t free = 3;
  static constexpr std::uint32_t smallest = 8, largest = 512;  // Slots of a leaf.
  static constexpr std::uint32_t joined_at = 96;               // Entries of a node.
  static constexpr unsigned node_bits = 6, last_shift = 32 - 3 * node_bits;

  static Leaf& child(Node& node, std::uint32_t hash, unsigned shift) {
    return node.leaves[hash >> shift & 63];
  }
  [[nodiscard]] Leaf& leaf_of(std::uint32_t hash) {
    Leaf* leaf = &root_;
    for (unsigned shift = 32; leaf->node;) leaf = &child(*leaf->node, hash, shift -= node_bits);
    return *leaf;
  }
  static void place(Leaf& leaf, Entry entry);
  static void take_out(Leaf& leaf, std::uint32_t at);
  void resize(Leaf& leaf, std::uint32_t slots);
  void split(Leaf& leaf, unsigned shift);
  void join(Leaf& leaf);
  void gather(const Leaf& from, Leaf& to);
  void put_into_leaf(Leaf& leaf, Entry entry);

  Leaf root_;
  std::size_t size_ = 0, bytes_ = 0;
  std::uint64_t moved_ = 0;
};

}  // namespace estab
