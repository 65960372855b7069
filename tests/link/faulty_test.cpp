// SPDX-License-Identifier: Apache-2.0
#include "estab/link/faulty.hpp"

#include <gtest/gtest.h>

#include "estab/link/memory.hpp"
#include "segments.hpp"

namespace estab::link {
namespace {

using enum Direction;

// A stack's end behind a FaultyDevice, and the peer's end, which is sound.
struct Link {
  explicit Link(const FaultyOptions& options, const MemoryOptions& memory = {}) {
    auto [near, far] = memory_pair(memory);
    device = std::make_unique<FaultyDevice>(std::move(near), options);
    peer = std::move(far);
  }
  void send(Packet packet) { device->transmit(pool, std::move(packet), now); }
  void send_numbered(std::size_t count) {
    for (std::size_t i = 1; i <= count; ++i) send(plain(pool, random_octets(i)));
  }
  void arrive_numbered(std::size_t count) {
    for (std::size_t i = 1; i <= count; ++i)
      peer->transmit(pool, plain(pool, random_octets(i)), now);
  }
  static std::vector<std::size_t> sizes(const std::vector<Packet>& packets) {
    std::vector<std::size_t> all;
    for (const auto& packet : packets) all.push_back(packet.size());
    return all;
  }
  std::vector<Packet> take(Device& from, std::size_t most = 200) {
    std::vector<Packet> out(most);
    out.resize(from.receive(pool, out, now));
    return out;
  }
  std::vector<std::size_t> at_stack() { return sizes(take(*device)); }
  std::vector<std::size_t> at_peer() { return sizes(take(*peer)); }

  PacketPool pool;
  std::unique_ptr<FaultyDevice> device;
  std::unique_ptr<Device> peer;
  Instant now{1s};
};

using Sizes = std::vector<std::size_t>;

TEST(FaultyDevice, WithoutHarmEverythingPassesBothWays) {
  Link link({});
  link.send_numbered(3);
  link.arrive_numbered(2);
  EXPECT_EQ(link.at_peer(), (Sizes{1, 2, 3}));
  EXPECT_EQ(link.at_stack(), (Sizes{1, 2}));
  EXPECT_EQ(link.device->next_deadline(), never);
}

TEST(FaultyDevice, HarmComesToEachDirectionByItsOwnSettings) {
  Link link({.inbound = {.loss = 1}, .outbound = {.duplicate = 1}});
  link.send_numbered(2);
  link.arrive_numbered(2);
  EXPECT_EQ(link.at_peer(), (Sizes{1, 1, 2, 2}));
  EXPECT_EQ(link.at_stack(), Sizes{});
  EXPECT_EQ(link.device->counters(inbound).lost, 2u);
  EXPECT_EQ(link.device->counters(outbound).duplicated, 2u);
}

TEST(FaultyDevice, TheSameSettingsBothWaysAreDrawnIndependently) {
  Link link(both_ways({.loss = 0.5}));
  link.send_numbered(64);
  link.arrive_numbered(64);
  EXPECT_NE(link.at_peer(), link.at_stack());
}

TEST(FaultyDevice, DelayedPacketsComeAtTheDeadline) {
  Link link({.inbound = {.delay = 20ms}, .outbound = {.delay = 30ms}});
  link.send_numbered(1);
  link.arrive_numbered(1);
  EXPECT_EQ(link.at_stack(), Sizes{});
  EXPECT_EQ(link.device->next_deadline(), Instant{1s + 20ms});
  link.now += 20ms;
  EXPECT_EQ(link.at_stack(), Sizes{1});
  EXPECT_EQ(link.at_peer(), Sizes{});
  EXPECT_EQ(link.device->next_deadline(), Instant{1s + 30ms});
  link.now += 10ms;
  EXPECT_EQ(link.at_stack(), Sizes{});
  EXPECT_EQ(link.at_peer(), Sizes{1});
}

TEST(FaultyDevice, SuperSegmentsAreCutBeforeTheyAreHarmed) {
  Link link({.outbound = {.loss = 0.5}});
  Segment segment;
  segment.text = random_octets(50'000);
  const auto all = cut_simply(segment, 1000);
  link.send(owing(link.pool, segment, 1000));
  const auto arrived = link.take(*link.peer);
  EXPECT_EQ(link.device->counters(outbound).pushed, 50u);
  EXPECT_EQ(arrived.size(), 50 - link.device->counters(outbound).lost);
  for (const auto& packet : arrived) {
    EXPECT_EQ(packet.offload().checksum, Offload::Checksum::complete);
    EXPECT_EQ(std::ranges::count(all, contents(packet)), 1);
  }
}

TEST(FaultyDevice, WhatWasVouchedForIsSealedBeforeItIsCorrupted) {
  Link link({.inbound = {.corrupt = 1}});
  Segment segment;
  segment.text = random_octets(1000);
  link.peer->transmit(link.pool, owing(link.pool, segment, 0), link.now);
  const auto arrived = link.take(*link.device);
  ASSERT_EQ(arrived.size(), 1u);
  EXPECT_EQ(arrived[0].offload().checksum, Offload::Checksum::complete);
  const auto sent = encode(segment), got = contents(arrived[0]);
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < sent.size(); ++i) wrong += sent[i] != got[i];
  EXPECT_EQ(wrong, 1u);
}

TEST(FaultyDevice, TheFilterPassesHoldsOrDrops) {
  Link link({});
  link.device->set_filter([](Direction direction, const Packet& packet) {
    if (direction == inbound) return FilterVerdict::pass;
    return packet.size() == 2   ? FilterVerdict::hold
           : packet.size() == 3 ? FilterVerdict::drop
                                : FilterVerdict::pass;
  });
  link.send_numbered(4);
  link.arrive_numbered(4);
  EXPECT_EQ(link.at_stack(), (Sizes{1, 2, 3, 4}));
  EXPECT_EQ(link.at_peer(), (Sizes{1, 4}));
  EXPECT_EQ(link.device->held(outbound), 1u);
  EXPECT_EQ(link.device->filtered(outbound), 1u);
  EXPECT_EQ(link.device->held(inbound), 0u);
  EXPECT_EQ(link.device->next_deadline(), never);
}

TEST(FaultyDevice, HeldPacketsGoOnInTheirOrderWhenReleased) {
  Link link({});
  link.device->set_filter([](Direction, const Packet&) { return FilterVerdict::hold; });
  link.send_numbered(3);
  link.arrive_numbered(3);
  EXPECT_EQ(link.at_stack(), Sizes{});
  int woken = 0;
  link.device->on_ready([&] { ++woken; });
  link.device->release(inbound);
  EXPECT_EQ(woken, 1);
  EXPECT_LE(link.device->next_deadline(), link.now);
  EXPECT_EQ(link.at_stack(), (Sizes{1, 2, 3}));
  EXPECT_EQ(link.at_peer(), Sizes{});

  link.device->release(outbound, 2);
  EXPECT_EQ(link.at_stack(), Sizes{});  // A turn of the loop.
  EXPECT_EQ(link.at_peer(), (Sizes{1, 2}));
  EXPECT_EQ(link.device->held(outbound), 1u);
  EXPECT_EQ(link.device->next_deadline(), never);
}

TEST(FaultyDevice, WhatIsHeldStaysHeldWhenTheFilterGoes) {
  Link link({});
  link.device->set_filter([](Direction, const Packet&) { return FilterVerdict::hold; });
  link.send_numbered(1);
  link.device->set_filter({});
  link.send_numbered(2);
  EXPECT_EQ(link.at_peer(), (Sizes{1, 2}));
  EXPECT_EQ(link.device->held(outbound), 1u);
}

TEST(FaultyDevice, ADevicePassesItsBackPressureOn) {
  Link link({.outbound = {.delay = 1ms}}, {.queue = 2});
  link.send_numbered(4);
  link.now += 1ms;
  EXPECT_EQ(link.at_stack(), Sizes{});
  EXPECT_FALSE(link.device->ready());
  EXPECT_EQ(link.device->next_deadline(), never);  // The peer has the next move.
  EXPECT_EQ(link.at_peer(), (Sizes{1, 2}));
  EXPECT_TRUE(link.device->ready());
  EXPECT_LE(link.device->next_deadline(), link.now);
  EXPECT_EQ(link.at_stack(), Sizes{});
  EXPECT_EQ(link.at_peer(), (Sizes{3, 4}));
}

TEST(FaultyDevice, MoreThanOneBatchAsksForAnotherTurn) {
  Link link({.inbound = {.delay = 1ms}});
  link.arrive_numbered(70);
  EXPECT_EQ(link.at_stack(), Sizes{});
  EXPECT_LE(link.device->next_deadline(), link.now);
  EXPECT_EQ(link.at_stack(), Sizes{});
  EXPECT_EQ(link.device->next_deadline(), link.now + 1ms);
  link.now += 1ms;
  EXPECT_EQ(link.at_stack().size(), 70u);
}

}  // namespace
}  // namespace estab::link
