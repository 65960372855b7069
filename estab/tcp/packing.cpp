// SPDX-License-Identifier: Apache-2.0
#include "estab/tcp/packing.hpp"

#include <algorithm>

namespace estab::tcp {
namespace {

bool is_full(const Packet& packet) { return packet.true_size() <= packet.size() / 8 * 9; }

// The data of the next packet, for so many bytes that are still to come.
std::size_t block_size(std::size_t bytes) {
  constexpr std::size_t large = 16000, middle = 1800, small = 300;  // Nearly what a class holds.
  return bytes >= 3 * large / 4 ? large : bytes >= 3 * middle / 4 ? middle : small;
}

std::size_t bytes_until_full(const PacketList& list) {
  std::size_t bytes = 0;
  bool going = true;
  list.for_each([&](const Packet& packet) {
    going = going && !is_full(packet);
    if (going) bytes += packet.size();
  });
  return bytes;
}

}  // namespace

std::size_t pack(PacketPool& pool, PacketList& list) {
  PacketList packed;
  std::size_t true_size = 0, coming = 0;
  Packet block;
  const auto put_away = [&](Packet packet) {
    true_size += packet.true_size();
    packed.push_back(std::move(packet));
  };
  while (!list.empty()) {
    if (coming == 0) coming = bytes_until_full(list);
    Packet packet = list.pop_front();
    if (coming == 0) {
      if (block) put_away(std::move(block));
      block = Packet{};
      put_away(std::move(packet));
      continue;
    }
    coming -= packet.size();
    while (packet.size() > 0) {
      if (!block || block.tailroom() == 0) {
        if (block) put_away(std::move(block));
        const std::size_t wanted = block_size(packet.size() + coming);
        block = pool.allocate(wanted);
        if (!block) break;
        block.truncate(0);
      }
      const std::size_t size = std::min(packet.size(), block.tailroom());
      packet.copy_to(block.append(size));
      packet.pull_front(size);
    }
    if (packet.size() == 0) continue;
    if (block) put_away(std::move(block));  // No buffer: the rest stays where it is.
    block = Packet{};
    put_away(std::move(packet));
  }
  if (block) put_away(std::move(block));
  list = std::move(packed);
  return true_size;
}

}  // namespace estab::tcp
