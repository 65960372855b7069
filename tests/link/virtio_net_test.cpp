// SPDX-License-Identifier: Apache-2.0
#include "estab/link/virtio_net.hpp"

#include <gtest/gtest.h>

#include "segments.hpp"

namespace estab::link {
namespace {

TEST(VirtioNet, NothingIsSaidOfAPacketThatIsComplete) {
  PacketPool pool;
  Segment segment;
  segment.text = random_octets(100);
  auto packet = owing(pool, segment, 1460, 1300);
  packet.offload() = {};
  const auto header = to_virtio(packet);
  EXPECT_EQ(header.flags, 0);
  EXPECT_EQ(header.gso_type, VirtioNetHeader::whole);
}

TEST(VirtioNet, AnOwedChecksumIsSaidToBeWhereItBelongs) {
  PacketPool pool;
  for (const bool v4 : {true, false}) {
    Segment segment = v4 ? Segment{} : v6(Segment{});
    segment.text = random_octets(100);
    const auto header = to_virtio(owing(pool, segment, 1460, 1300));
    EXPECT_EQ(header.flags, VirtioNetHeader::needs_checksum);
    EXPECT_EQ(header.checksum_start, v4 ? 20 : 40);
    EXPECT_EQ(header.checksum_offset, 16);
    EXPECT_EQ(header.gso_type, VirtioNetHeader::whole) << "it is one segment";
  }
}

TEST(VirtioNet, ASuperSegmentIsToBeCutWhereItsNotesSay) {
  PacketPool pool;
  for (const bool v4 : {true, false}) {
    Segment segment = v4 ? Segment{} : v6(Segment{});
    segment.text = random_octets(14'000);
    const auto packet = owing(pool, segment, 1400, 1300);
    const auto header = to_virtio(packet);
    EXPECT_EQ(header.gso_type, v4 ? VirtioNetHeader::tcp_v4 : VirtioNetHeader::tcp_v6);
    EXPECT_EQ(header.segment_size, 1400);
    EXPECT_EQ(header.header_length, packet.size() - 14'000);
    const auto back = from_virtio(header);
    EXPECT_EQ(back.segment_size, 1400);
    EXPECT_EQ(back.checksum, Offload::Checksum::verified);
    EXPECT_TRUE(virtio_can_cut(packet));
  }
}

TEST(VirtioNet, WithAnUrgentPointerWeCutOurselves) {
  PacketPool pool;
  Segment segment;
  segment.tcp.flags.urg = true;
  segment.tcp.urgent = 5000;
  segment.text = random_octets(14'000);
  EXPECT_FALSE(virtio_can_cut(owing(pool, segment, 1460, 1300)));
}

TEST(VirtioNet, WhatTheHeaderDoesNotVouchForIsYetToBeVerified) {
  EXPECT_EQ(from_virtio({}).checksum, Offload::Checksum::complete);
  EXPECT_EQ(from_virtio({}).segment_size, 0);
  VirtioNetHeader valid{};
  valid.flags = VirtioNetHeader::data_valid;
  EXPECT_EQ(from_virtio(valid).checksum, Offload::Checksum::verified);
}

}  // namespace
}  // namespace estab::link
