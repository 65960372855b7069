// SPDX-License-Identifier: Apache-2.0
#include "estab/base/packet.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "estab/base/random.hpp"

namespace estab {
namespace {

using Contents = std::vector<std::byte>;

Contents contents(const Packet& packet) {
  Contents all(packet.size());
  EXPECT_EQ(packet.copy_to(all), all.size());
  return all;
}

void fill(Random& random, MutableBytes out) {
  for (auto& b : out) b = std::byte(random());
}

TEST(Packet, ANewPacketIsLinearWithTheUsualHeadroom) {
  PacketPool pool;
  Packet packet = pool.allocate(1000);
  ASSERT_TRUE(packet);
  EXPECT_EQ(packet.size(), 1000u);
  EXPECT_TRUE(packet.is_linear());
  EXPECT_EQ(packet.front_room(), Packet::headroom);
  EXPECT_EQ(packet.offload().checksum, Offload::Checksum::complete);
  EXPECT_EQ(packet.offload().segment_size, 0);
  EXPECT_EQ(packet.push_front(Packet::headroom).size(), Packet::headroom);
  EXPECT_EQ(packet.front_room(), 0u);
}

TEST(Packet, TheLargestSuperSegmentFitsOnePacket) {
  PacketPool pool;
  Packet packet = pool.allocate(65535);
  ASSERT_TRUE(packet);
  EXPECT_EQ(packet.size(), 65535u);
  const auto jumbo = pool.allocate(1 << 20);  // Past every size class.
  ASSERT_TRUE(jumbo);
  EXPECT_EQ(jumbo.size(), 1u << 20);
}

TEST(Packet, AGatherPacketTakesTheLargestHeadersAndAllItsSlices) {
  PacketPool pool;
  Packet packet = pool.allocate_gather();
  EXPECT_GE(packet.front_room(), 240u);
  EXPECT_EQ(packet.size(), 0u);
  const BufferRef chunk = pool.allocate_chunk(100);
  for (std::size_t i = 0; i < Packet::max_slices; ++i)
    EXPECT_TRUE(packet.append_slice(chunk.get(), 0, 10));
  EXPECT_FALSE(packet.can_append_slice());
  EXPECT_FALSE(packet.append_slice(chunk.get(), 0, 10));
  EXPECT_EQ(packet.size(), 10 * Packet::max_slices);
  EXPECT_EQ(chunk->refs, 1 + Packet::max_slices);
}

TEST(Packet, MovingLeavesNothingBehind) {
  PacketPool pool;
  Packet a = pool.allocate(10);
  const auto one = pool.live_bytes();
  Packet b = std::move(a);
  EXPECT_FALSE(a);  // NOLINT(bugprone-use-after-move): that is what is tested.
  EXPECT_TRUE(b);
  b = Packet{};
  EXPECT_FALSE(b);
  EXPECT_GT(one, 0u);
  EXPECT_EQ(pool.live_bytes(), 0u);
}

// A packet beside a vector of bytes, under every change that a packet knows.
class Comparison {
 public:
  explicit Comparison(std::uint64_t seed) : random_(seed) { start(); }

  void run(int steps) {
    for (int i = 0; i < steps; ++i) {
      change();
      ASSERT_EQ(packet_.size(), model_.size());
      ASSERT_EQ(contents(packet_), model_);
      const auto offset = random_.below(model_.size() + 1);
      Contents tail(random_.below(model_.size() + 1));
      const auto copied = packet_.copy_to(tail, offset);
      ASSERT_EQ(copied, std::min(tail.size(), model_.size() - offset));
      ASSERT_TRUE(std::equal(tail.begin(), tail.begin() + std::ptrdiff_t(copied),
                             model_.begin() + std::ptrdiff_t(offset)));
    }
  }

 private:
  void start() {
    packet_ = random_.chance(0.5) ? pool_.allocate(random_.below(300)) : pool_.allocate_gather();
    fill(random_, packet_.linear());
    model_ = contents(packet_);
  }
  void change() {
    switch (random_.below(8)) {
      case 0: return push_front();
      case 1: return append();
      case 2:
      case 3: return append_slice();
      case 4: return pull_front();
      case 5: return truncate();
      case 6: return share();
      default:
        if (random_.chance(0.2)) return start();
        if (random_.chance(0.2)) packet_ = pool_.copy(packet_);
    }
  }
  std::size_t up_to(std::size_t most) { return random_.below(most + 1); }

  void push_front() {
    const auto n = up_to(std::min<std::size_t>(packet_.front_room(), 60));
    const auto added = packet_.push_front(n);
    fill(random_, added);
    model_.insert(model_.begin(), added.begin(), added.end());
  }
  void append() {
    const auto added = packet_.append(up_to(std::min<std::size_t>(packet_.tailroom(), 60)));
    fill(random_, added);
    model_.insert(model_.end(), added.begin(), added.end());
  }
  void append_slice() {
    if (!packet_.can_append_slice()) return;
    const BufferRef chunk = pool_.allocate_chunk(256);
    const MutableBytes text{chunk->data(), 256};
    fill(random_, text);
    const auto begin = up_to(255), length = 1 + up_to(255 - begin);
    ASSERT_TRUE(packet_.append_slice(chunk.get(), std::uint32_t(begin), std::uint32_t(length)));
    const auto part = text.subspan(begin, length);
    model_.insert(model_.end(), part.begin(), part.end());
  }
  void pull_front() {
    const auto n = up_to(model_.size() / (random_.chance(0.1) ? 1 : 8));
    packet_.pull_front(n);
    model_.erase(model_.begin(), model_.begin() + std::ptrdiff_t(n));
  }
  void truncate() {
    const auto n = model_.size() - up_to(model_.size() / (random_.chance(0.1) ? 1 : 8));
    packet_.truncate(n);
    model_.resize(n);
  }
  // A header of our own and a stretch of the text; the packet that it came from goes first.
  void share() {
    const auto head = up_to(std::min<std::size_t>(packet_.linear().size(), 60));
    const auto begin = up_to(model_.size()), length = up_to(model_.size() - begin);
    Packet part = pool_.share(packet_, head, begin, length);
    if (!part) return;  // One slice too many.
    Contents expected(model_.begin(), model_.begin() + std::ptrdiff_t(head));
    expected.insert(expected.end(), model_.begin() + std::ptrdiff_t(begin),
                    model_.begin() + std::ptrdiff_t(begin + length));
    packet_ = std::move(part);
    model_ = std::move(expected);
  }

  PacketPool pool_;  // Its destructor asserts that every byte came back.
  Random random_;
  Packet packet_;
  Contents model_;
};

TEST(Packet, AgreesWithAVectorOfBytesUnderEveryChange) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Comparison{seed}.run(150);
    if (HasFatalFailure()) return;
  }
}

TEST(Packet, ASharedTextLivesAsLongAsAnyoneHoldsIt) {
  PacketPool pool;
  Packet original = pool.allocate(1500);
  Random random{1};
  fill(random, original.linear());
  const auto all = contents(original);
  Packet part = pool.share(original, 40, 1000, 500);
  original = Packet{};
  EXPECT_TRUE(std::equal(all.begin() + 1000, all.end(), contents(part).begin() + 40));
  part = Packet{};
  EXPECT_EQ(pool.live_bytes(), 0u);
}

TEST(Packet, ACopyKeepsBytesAndNotes) {
  PacketPool pool;
  Packet packet = pool.allocate(100);
  Random random{1};
  fill(random, packet.linear());
  packet.offload() = {.checksum = Offload::Checksum::owed, .segment_size = 1448};
  packet.interface() = 3;
  const Packet twin = pool.copy(packet);
  EXPECT_EQ(contents(twin), contents(packet));
  EXPECT_EQ(twin.offload().checksum, Offload::Checksum::owed);
  EXPECT_EQ(twin.offload().segment_size, 1448);
  EXPECT_EQ(twin.interface(), 3);
}

}  // namespace
}  // namespace estab
