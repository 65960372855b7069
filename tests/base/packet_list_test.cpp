// SPDX-License-Identifier: Apache-2.0
// The pool's accounts and the list that links packets through themselves.
#include <gtest/gtest.h>

#include <deque>
#include <vector>

#include "estab/base/packet.hpp"
#include "estab/base/random.hpp"

namespace estab {
namespace {

TEST(PacketPool, BytesInUseReturnToNothing) {
  PacketPool pool;
  {
    std::vector<Packet> packets;
    for (std::size_t size = 1; size < 200000; size = size * 3 / 2 + 1)
      packets.push_back(pool.allocate(size));
    EXPECT_GT(pool.live_bytes(), 400000u);
  }
  EXPECT_EQ(pool.live_bytes(), 0u);
  EXPECT_GT(pool.cached_bytes(), 0u);
  pool.trim();
  EXPECT_EQ(pool.cached_bytes(), 0u);
}

TEST(PacketPool, APacketThatComesBackIsUsedAgain) {
  PacketPool pool;
  for (int i = 0; i < 10; ++i) (void)pool.allocate(1500);
  EXPECT_EQ(pool.system_allocations(), 1u);
}

TEST(PacketPool, AtItsLimitItGivesEmptyHandlesAndHoldsWhatItGave) {
  PacketPool pool{10 * 2048};
  std::vector<Packet> packets;
  for (int i = 0; i < 10; ++i) {
    packets.push_back(pool.allocate(1500));
    ASSERT_TRUE(packets.back());
  }
  EXPECT_FALSE(pool.allocate(1500));
  EXPECT_FALSE(pool.allocate_gather());
  EXPECT_FALSE(pool.allocate_chunk(1));
  EXPECT_FALSE(pool.copy(packets[0]));
  EXPECT_FALSE(pool.share(packets[0], 20, 20, 100));
  EXPECT_EQ(pool.live_bytes(), 10u * 2048);
  packets.pop_back();
  EXPECT_TRUE(pool.allocate(1500));
  EXPECT_EQ(pool.peak_bytes(), 10u * 2048);
}

TEST(PacketPool, AChunkHasTheRoomThatWasAskedForUpToTheLargest) {
  PacketPool pool;
  for (const std::size_t wanted : {1, 480, 481, 2000, 16000, 60000, 1 << 20}) {
    const BufferRef chunk = pool.allocate_chunk(wanted);
    ASSERT_TRUE(chunk);
    EXPECT_GE(chunk->capacity, std::min<std::size_t>(wanted, 65536));
    EXPECT_EQ(chunk->used, 0u);
    EXPECT_EQ(chunk->refs, 1u);
  }
}

TEST(PacketPool, TrueSizesAddUpToTheLiveBytes) {
  PacketPool pool;
  const Packet small = pool.allocate(1), large = pool.allocate(9000);
  EXPECT_EQ(small.true_size() + large.true_size(), pool.live_bytes());
}

TEST(PacketList, KeepsTheOrderUnderEveryChange) {
  PacketPool pool;
  Random random{1};
  PacketList list;
  std::deque<std::uint8_t> model;
  const auto marked = [&](std::uint8_t mark) {
    Packet packet = pool.allocate(1);
    packet.interface() = mark;
    return packet;
  };
  for (int i = 0; i < 5000; ++i) {
    const auto mark = std::uint8_t(i);
    switch (random.below(5)) {
      case 0: list.push_front(marked(mark)), model.push_front(mark); break;
      case 1: list.push_back(marked(mark)), model.push_back(mark); break;
      case 2: {
        PacketList other;
        for (auto n = random.below(3); n > 0; --n)
          other.push_back(marked(mark)), model.push_back(mark);
        list.append(std::move(other));
        break;
      }
      default:
        if (list.empty()) break;
        ASSERT_EQ(list.with_back([](Packet& p) { return p.interface(); }), model.back());
        ASSERT_EQ(list.with_front([](Packet& p) { return p.interface(); }), model.front());
        ASSERT_EQ(list.pop_front().interface(), model.front());
        model.pop_front();
    }
    ASSERT_EQ(list.empty(), model.empty());
    std::deque<std::uint8_t> seen;
    list.for_each([&](const Packet& p) { seen.push_back(p.interface()); });
    ASSERT_EQ(seen, model);
  }
  const PacketList moved = std::move(list);
  EXPECT_TRUE(list.empty());  // NOLINT(bugprone-use-after-move): that is what is tested.
  EXPECT_EQ(moved.empty(), model.empty());
}

TEST(PacketList, ClearingGivesEveryPacketBack) {
  PacketPool pool;
  PacketList list;
  for (int i = 0; i < 100; ++i) list.push_back(pool.allocate(100));
  list.clear();
  EXPECT_EQ(pool.live_bytes(), 0u);
}

}  // namespace
}  // namespace estab
