// SPDX-License-Identifier: Apache-2.0
// Packets and strings for the tests of the queues.
#pragma once
#include <algorithm>
#include <string>

#include "estab/base/packet.hpp"
#include "tests/seeds.hpp"

namespace estab::tcp {

inline std::string random_string(Random& random, std::size_t length) {
  std::string text(length, '\0');
  for (auto& c : text) c = char(random());
  return text;
}

inline Bytes bytes_of(std::string_view text) { return std::as_bytes(std::span{text}); }

// All bytes of a packet.
inline std::string string_of(const Packet& packet) {
  std::string text(packet.size(), '\0');
  packet.copy_to(std::as_writable_bytes(std::span{text}));
  return text;
}

// The text in one linear packet.
inline Packet linear_packet(PacketPool& pool, std::string_view text) {
  Packet packet = pool.allocate(text.size());
  if (packet) std::ranges::copy(bytes_of(text), packet.linear().begin());
  return packet;
}

// The text in slices of a few shared blocks, as the segments of a super-segment have it.
inline Packet sliced_packet(PacketPool& pool, Random& random, std::string_view text) {
  Packet packet = pool.allocate_gather();
  while (!text.empty()) {
    const bool last = packet.slices().size() + 1 == Packet::max_slices;
    const auto n = last ? text.size() : between(random, 1, std::uint32_t(text.size()));
    const BufferRef block = pool.allocate_chunk(n);
    std::ranges::copy(bytes_of(text.substr(0, n)), block->data());
    EXPECT_TRUE(packet.append_slice(block.get(), 0, std::uint32_t(n)));
    text.remove_prefix(n);
  }
  return packet;
}

// A queue keeps the books of its true size itself, or it tells the caller by how much they change.
template <class Queue>
constexpr bool keeps_books = requires(const Queue& queue) { queue.count_true_size(); };

// One or the other. `text` is no longer than a block of the pool.
inline Packet any_packet(PacketPool& pool, Random& random, std::string_view text) {
  return random.chance(0.7) ? linear_packet(pool, text) : sliced_packet(pool, random, text);
}

}  // namespace estab::tcp
