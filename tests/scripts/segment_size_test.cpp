// SPDX-License-Identifier: Apache-2.0
// Options take their room from the text, always (RFC 9293 §3.7.1, RFC 6691 §2). The conversation
// itself fails on a datagram that is longer than the MTU.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include "scenes.hpp"

namespace estab::script {
namespace {

constexpr const char* all_options = "win 65535 <mss 1460,sackOK,TS 1 0,nop,wscale 7>";

// The peer's segments with holes between them: so many ranges are to be told of.
void make_holes(Conversation& c, std::uint32_t ranges, const char* clock = "<nop,nop,TS 2 0>") {
  for (std::uint32_t i = 0; i < ranges; ++i) {
    c.peer(fmt::format("P. {}:{} ack 1 {}", 1001 + 2000 * i, 1101 + 2000 * i, clock));
    c.take_sent();
  }
}

Conversation& opened(Conversation& c) {
  c.open_passive(all_options);
  return c;
}

TEST(SegmentSize, New_text_leaves_room_for_as_many_SACK_blocks_as_are_told) {
  for (std::uint32_t blocks = 0; blocks <= 3; ++blocks) {
    Conversation c{{.tcp = full()}};
    make_holes(opened(c), blocks);
    c.user_send(5000);
    const std::uint32_t segment = 1448 - (blocks > 0 ? 4 + 8 * blocks : 0);
    for (std::uint32_t seq = 1; seq + segment <= 5001; seq += segment)
      c.expect(fmt::format(". {}:{} ack 1", seq, seq + segment));
    c.expect(fmt::format("P. {}:5001 ack 1", 1 + 5000 / segment * segment));
  }
}

TEST(SegmentSize, Without_timestamps_four_blocks_find_room) {
  Scene scene;
  scene.tcp.sack = true;
  Conversation c{scene};
  c.open_passive("win 65535 <mss 1460,nop,nop,sackOK>");
  make_holes(c, 5, "");
  c.user_send(1460);
  c.expect(". 1:1425 ack 1 <nop,nop,sack 9001:9101 7001:7101 5001:5101 3001:3101>");
  c.expect("P. 1425:1461 ack 1");
}

TEST(SegmentSize, A_D_SACK_takes_its_room_too) {
  Conversation c{{.tcp = full()}};
  opened(c);
  c.peer("P. 1:101 ack 1 <nop,nop,TS 2 0>");
  c.take_sent();
  c.user_send(40000);
  ASSERT_EQ(c.take_sent().size(), 10u);
  // The duplicate's D-SACK rides on the text that the ACK lets go.
  c.peer_batch({"P. 1:101 ack 1 <nop,nop,TS 3 0>", ". 101:101 ack 14481 <nop,nop,TS 3 0>"});
  const auto sent = c.take_sent();
  ASSERT_FALSE(sent.empty());
  EXPECT_EQ(sent[0].options.back(), "sack 1:101");
  EXPECT_EQ(sent[0].length, 1436u);
}

TEST(SegmentSize, A_retransmission_keeps_its_size_and_tells_what_finds_room_beside_it) {
  Conversation c{{.tcp = full()}};
  opened(c).user_send(2896);
  c.expect(". 1:1449 ack 1");
  c.expect("P. 1449:2897 ack 1");
  make_holes(c, 3);
  c.expect_between(0ms, 2s, ". 1:1449 ack 1 <nop,nop,TS . .>");
  c.peer(". 101:101 ack 1449 <nop,nop,TS 2 0>");
  c.take_sent();
}

TEST(SegmentSize, A_short_retransmission_has_its_blocks_as_far_as_they_fit) {
  for (const auto& [text, blocks] :
       {std::pair{1448u, 0u}, {1440u, 0u}, {1436u, 1u}, {1428u, 2u}, {1420u, 3u}, {100u, 3u}}) {
    Conversation c{{.tcp = full()}};
    opened(c).user_send(text);
    c.expect(fmt::format("P. 1:{} ack 1", 1 + text));
    make_holes(c, 3);
    c.run(300ms);
    const auto sent = c.take_sent();
    ASSERT_EQ(sent.size(), 1u);
    EXPECT_EQ(sent[0].length, text);
    EXPECT_EQ(sent[0].options.size(), blocks > 0 ? 6u : 3u) << text;  // nop, nop, TS, and again.
  }
}

TEST(SegmentSize, Whatever_arrives_out_of_order_the_whole_stream_leaves_within_the_MTU) {
  for (const bool v6 : {false, true})
    for (const std::uint32_t mtu : {1280u, 1400u, 1500u}) {
      Conversation c{{.tcp = full(), .v6 = v6, .mtu = mtu}};
      opened(c);
      std::uint32_t acked = 1;
      for (std::uint32_t i = 0; i < 60; ++i) {
        c.user_send(3000);
        for (const auto& sent : c.take_sent()) acked = std::max(acked, sent.seq + sent.length);
        const std::uint32_t hole = 1001 + 1000 * (i * 7 % 60);
        c.peer(fmt::format("P. {}:{} ack {} <nop,nop,TS 2 0>", hole, hole + 10, acked));
        for (const auto& sent : c.take_sent()) acked = std::max(acked, sent.seq + sent.length);
      }
      c.peer(fmt::format(". 1:1 ack {} <nop,nop,TS 2 0>", acked));
      c.take_sent();
    }
}

}  // namespace
}  // namespace estab::script
