// SPDX-License-Identifier: Apache-2.0
#include "estab/link/memory.hpp"

#include <gtest/gtest.h>

#include "segments.hpp"

namespace estab::link {
namespace {

struct Pair {
  explicit Pair(const MemoryOptions& options = {}) : ends(memory_pair(options)) {}
  Device& near() { return *ends.first; }
  Device& far() { return *ends.second; }
  void send(Packet packet) { near().transmit(pool, std::move(packet), Instant{}); }
  std::vector<Packet> receive(std::size_t most = 64) {
    std::vector<Packet> out(most);
    out.resize(far().receive(pool, out, Instant{}));
    return out;
  }

  PacketPool pool;
  std::pair<std::unique_ptr<Device>, std::unique_ptr<Device>> ends;
};

Segment with_text(std::size_t count) {
  Segment segment;
  segment.text = random_octets(count);
  return segment;
}

TEST(Memory, WhatOneEndTransmitsTheOtherReceivesInOrder) {
  Pair pair;
  for (std::size_t i = 1; i <= 3; ++i) pair.send(plain(pair.pool, random_octets(i)));
  pair.far().transmit(pair.pool, plain(pair.pool, random_octets(9)), Instant{});
  const auto first = pair.receive(2), rest = pair.receive(2);
  ASSERT_EQ(first.size(), 2u);
  ASSERT_EQ(rest.size(), 1u);
  EXPECT_EQ(first[0].size(), 1u);
  EXPECT_EQ(first[1].size(), 2u);
  EXPECT_EQ(rest[0].size(), 3u);
  Packet back;
  EXPECT_EQ(pair.near().receive(pair.pool, {&back, 1}, Instant{}), 1u);
  EXPECT_EQ(contents(back), random_octets(9));
}

TEST(Memory, ASuperSegmentIsCarriedWholeAndNoByteIsCopied) {
  Pair pair;
  Packet packet = owing(pair.pool, with_text(40000), 1448);
  const auto* chunk = packet.slices().front().buffer;
  pair.send(std::move(packet));
  const auto arrived = pair.receive();
  ASSERT_EQ(arrived.size(), 1u);
  EXPECT_EQ(arrived[0].size(), 40040u);
  EXPECT_EQ(arrived[0].offload().segment_size, 1448);
  EXPECT_EQ(arrived[0].offload().checksum, Offload::Checksum::verified);
  EXPECT_EQ(arrived[0].slices().front().buffer, chunk);
}

TEST(Memory, ASuperSegmentLargerThanItCarriesIsCut) {
  Pair pair({.largest_segment = 1500});
  const auto segment = with_text(5000);
  pair.send(owing(pair.pool, segment, 1460));
  const auto arrived = pair.receive();
  const auto expected = cut_simply(segment, 1460);
  ASSERT_EQ(arrived.size(), expected.size());
  for (std::size_t i = 0; i < arrived.size(); ++i) EXPECT_EQ(contents(arrived[i]), expected[i]);
}

TEST(Memory, WithoutVouchingChecksumsAreComputedAndLeftToBeVerified) {
  Pair pair({.vouch = false});
  EXPECT_FALSE(pair.near().info().transmit_checksum);
  const auto segment = with_text(40000);
  pair.send(owing(pair.pool, segment, 1448));
  const auto arrived = pair.receive();
  ASSERT_EQ(arrived.size(), 1u);
  EXPECT_EQ(arrived[0].offload().checksum, Offload::Checksum::complete);
  EXPECT_EQ(arrived[0].offload().segment_size, 1448);
  EXPECT_EQ(contents(arrived[0]), encode(segment));
}

TEST(Memory, ACompleteChecksumIsNeverVouchedFor) {
  Pair pair;
  pair.send(plain(pair.pool, encode(with_text(10))));
  EXPECT_EQ(pair.receive().at(0).offload().checksum, Offload::Checksum::complete);
}

TEST(Memory, AFullQueueIsNotReadyUntilTheReceiverTakesSome) {
  Pair pair({.queue = 2});
  int woken = 0;
  pair.near().on_ready([&] { ++woken; });
  pair.send(plain(pair.pool, random_octets(1)));
  EXPECT_TRUE(pair.near().ready());
  pair.send(plain(pair.pool, random_octets(1)));
  EXPECT_FALSE(pair.near().ready());
  EXPECT_TRUE(pair.far().ready());  // The other direction has a queue of its own.
  EXPECT_EQ(pair.receive(1).size(), 1u);
  EXPECT_TRUE(pair.near().ready());
  EXPECT_EQ(woken, 1);
  EXPECT_EQ(pair.receive(1).size(), 1u);
  EXPECT_EQ(woken, 1);
}

TEST(Memory, TheReceiverIsWokenOnceABatch) {
  Pair pair;
  int woken = 0;
  pair.far().on_ready([&] { ++woken; });
  pair.near().flush();
  EXPECT_EQ(woken, 0);
  for (int i = 0; i < 3; ++i) pair.send(plain(pair.pool, random_octets(1)));
  pair.near().flush();
  pair.near().flush();
  EXPECT_EQ(woken, 1);
}

TEST(Memory, WhatIsSentToAnEndThatIsGoneIsGoneAndNobodyWaits) {
  Pair pair({.queue = 1});
  int woken = 0;
  pair.near().on_ready([&] { ++woken; });
  pair.send(plain(pair.pool, random_octets(1)));
  EXPECT_FALSE(pair.near().ready());
  pair.ends.second.reset();
  EXPECT_EQ(woken, 1);
  EXPECT_TRUE(pair.near().ready());
  EXPECT_EQ(pair.pool.live_bytes(), 0u);
  pair.send(plain(pair.pool, random_octets(1)));
  pair.near().flush();
  EXPECT_EQ(pair.pool.live_bytes(), 0u);
}

TEST(Memory, TheLastWordOfAnEndThatIsGoneIsStillReceived) {
  Pair pair;
  pair.send(plain(pair.pool, random_octets(5)));
  pair.ends.first.reset();
  EXPECT_EQ(pair.receive().size(), 1u);
}

TEST(Memory, WhatTheSettingsSayIsInItsInfo) {
  Pair pair({.mtu = 9000, .largest_segment = 20000});
  EXPECT_EQ(pair.far().info().mtu, 9000u);
  EXPECT_EQ(pair.far().info().largest_segment, 20000u);
  EXPECT_TRUE(pair.far().info().transmit_checksum);
  EXPECT_EQ(pair.far().descriptor(), -1);
  EXPECT_EQ(pair.far().next_deadline(), never);
}

}  // namespace
}  // namespace estab::link
