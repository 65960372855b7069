// SPDX-License-Identifier: Apache-2.0
#include "estab/link/cut.hpp"

#include <gtest/gtest.h>

#include "segments.hpp"

namespace estab::link {
namespace {

std::vector<Contents> cut_all(PacketPool& pool, Packet packet) {
  PacketList list;
  EXPECT_EQ(cut(pool, std::move(packet), list), 0u);
  std::vector<Contents> segments;
  while (!list.empty()) {
    const Packet segment = list.pop_front();
    EXPECT_EQ(segment.offload().checksum, Offload::Checksum::complete);
    EXPECT_EQ(segment.offload().segment_size, 0);
    segments.push_back(contents(segment));
  }
  return segments;
}

Segment with_text(std::size_t count) {
  Segment segment;
  segment.text = random_octets(count);
  return segment;
}

TEST(FinishChecksum, WritesTheSumThatIsOwed) {
  PacketPool pool;
  for (const std::size_t count : {0u, 1u, 1000u, 1459u}) {
    for (const auto& segment : {with_text(count), v6(with_text(count))}) {
      Packet packet = owing(pool, segment, 0, 333);
      finish_checksum(packet);
      EXPECT_EQ(contents(packet), encode(segment));
      EXPECT_EQ(packet.offload().checksum, Offload::Checksum::complete);
    }
  }
}

TEST(FinishChecksum, AddsOverTheHeadersOptionsToo) {
  PacketPool pool;
  Segment segment = with_text(100);
  segment.tcp.options.timestamps = wire::Timestamps{1, 2};
  Packet packet = owing(pool, segment, 0);
  finish_checksum(packet);
  EXPECT_EQ(contents(packet), encode(segment));
}

TEST(FinishChecksum, LeavesAloneWhatIsCompleteAndWhatIsNotTcp) {
  PacketPool pool;
  auto octets = encode(with_text(10));
  octets[36] ^= std::byte{1};  // A wrong sum, which is the sender's own affair.
  Packet complete = plain(pool, octets);
  finish_checksum(complete);
  EXPECT_EQ(contents(complete), octets);

  for (const std::size_t size : {0u, 1u, 19u, 39u, 40u, 100u}) {
    auto other = random_octets(size, size);
    if (size > 0) other[0] = std::byte{0x45};
    if (size > 9) other[9] = std::byte{17};  // UDP.
    Packet packet = plain(pool, other);
    packet.offload().checksum = Offload::Checksum::owed;
    finish_checksum(packet);
    EXPECT_EQ(contents(packet), other);
    EXPECT_EQ(packet.offload().checksum, Offload::Checksum::owed);
  }
}

TEST(Cut, APacketThatIsNoSuperSegmentPassesWithItsChecksumFinished) {
  PacketPool pool;
  const auto segment = with_text(1000);
  EXPECT_EQ(cut_all(pool, owing(pool, segment, 0)), std::vector<Contents>{encode(segment)});
  EXPECT_EQ(cut_all(pool, owing(pool, segment, 1000)), std::vector<Contents>{encode(segment)});
  EXPECT_EQ(cut_all(pool, owing(pool, segment, 1448)), std::vector<Contents>{encode(segment)});
}

TEST(Cut, EachSegmentIsAsIfItHadBeenMadeAlone) {
  PacketPool pool;
  for (const std::size_t size : {1u, 2u, 536u, 999u, 1448u}) {
    for (const std::size_t count : {2 * size, 2 * size + 1, 10 * size - 1, 40 * size}) {
      for (auto segment : {with_text(count), v6(with_text(count))}) {
        segment.tcp.options.timestamps = wire::Timestamps{77, 78};
        const auto cut = cut_all(pool, owing(pool, segment, std::uint16_t(size), 7000));
        EXPECT_EQ(cut, cut_simply(segment, size)) << count << " octets by " << size;
      }
    }
  }
}

TEST(Cut, TheLargestSuperSegmentIsCut) {
  PacketPool pool;
  const auto segment = with_text(65535 - 40);
  const auto cut = cut_all(pool, owing(pool, segment, 1460));
  EXPECT_EQ(cut.size(), 45u);
  EXPECT_EQ(cut, cut_simply(segment, 1460));
}

TEST(Cut, FinAndPushStandOnTheLastSegmentAndCwrOnTheFirst) {
  PacketPool pool;
  for (int octet = 0; octet < 256; ++octet) {
    auto segment = with_text(2500);
    segment.tcp.flags = wire::Flags::from(std::uint8_t(octet));
    segment.tcp.urgent = segment.tcp.flags.urg ? 1500 : 0;
    EXPECT_EQ(cut_all(pool, owing(pool, segment, 1000)), cut_simply(segment, 1000)) << octet;
  }
}

TEST(Cut, TheUrgentPointerIsMovedAndEndsWhereTheUrgentDataEnd) {
  PacketPool pool;
  for (const std::uint16_t urgent : {1, 999, 1000, 1001, 2000, 3000, 60000}) {
    auto segment = with_text(3000);
    segment.tcp.flags.urg = true;
    segment.tcp.urgent = urgent;
    EXPECT_EQ(cut_all(pool, owing(pool, segment, 1000)), cut_simply(segment, 1000)) << urgent;
  }
}

TEST(Cut, TheSequenceNumberWraps) {
  PacketPool pool;
  auto segment = with_text(5000);
  segment.tcp.seq = Seq(0xffffff00);
  EXPECT_EQ(cut_all(pool, owing(pool, segment, 1000)), cut_simply(segment, 1000));
}

TEST(Cut, TextIsSharedNotCopied) {
  PacketPool pool;
  Packet packet = owing(pool, with_text(8000), 1000);
  const auto whole = packet.slices().front();
  PacketList list;
  EXPECT_EQ(cut(pool, std::move(packet), list), 0u);
  for (std::uint32_t at = 0; !list.empty(); at += 1000) {
    const Packet segment = list.pop_front();
    ASSERT_EQ(segment.slices().size(), 1u);
    EXPECT_EQ(segment.slices().front().buffer, whole.buffer);
    EXPECT_EQ(segment.slices().front().begin, whole.begin + at);
  }
}

TEST(Cut, AnArrivedSuperSegmentThatLiesInOnePieceIsCutAsWell) {
  PacketPool pool;
  const auto segment = with_text(5000);
  Packet packet = plain(pool, encode(segment));
  packet.offload() = {.checksum = Offload::Checksum::verified, .segment_size = 1000};
  EXPECT_EQ(cut_all(pool, std::move(packet)), cut_simply(segment, 1000));
}

TEST(Cut, SegmentsForWhichThereIsNoMemoryAreCounted) {
  PacketPool pool(65536);
  Packet packet = owing(pool, with_text(12000), 100);  // One chunk of 16 KiB, 120 segments.
  const auto room = (65536 - pool.live_bytes()) / 512;
  PacketList list;
  EXPECT_EQ(cut(pool, std::move(packet), list), 120 - room);
  std::size_t made = 0;
  for (; !list.empty(); ++made) list.pop_front();
  EXPECT_EQ(made, room);
  EXPECT_EQ(pool.live_bytes(), 0u);
}

}  // namespace
}  // namespace estab::link
