// SPDX-License-Identifier: Apache-2.0
// Delayed and quick ACKs as a peer sees them (RFC 9293 §3.8.6.3): the choices are Linux's.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include "scenes.hpp"

namespace estab::script {
namespace {

// The peer's next write of 100 octets comes, and is acknowledged at once, or after 40 ms.
void write_arrives(Conversation& c, std::uint32_t& next, std::uint32_t ack, bool at_once) {
  c.peer(fmt::format("P. {}:{} ack {}", next, next + 100, ack));
  next += 100;
  const auto answer = fmt::format(". {0}:{0} ack {1}", ack, next);
  if (at_once) c.expect(answer, Reason::send_ack);
  else c.expect_between(39ms, 41ms, answer);
  c.user_receive(100);
  c.wait(60ms);
}

TEST(DelayedAck, A_client_that_speaks_first_is_given_quick_ACKs) {
  Conversation c;
  c.open_active();
  c.user_send(50);
  c.expect("P. 1:51 ack 1");
  c.peer(". 1:1 ack 51");
  c.wait(10ms);
  std::uint32_t next = 1;
  for (int i = 0; i < 16; ++i) write_arrives(c, next, 51, true);
  write_arrives(c, next, 51, false);
}

TEST(DelayedAck, A_server_that_speaks_first_is_given_quick_ACKs) {
  Conversation c;
  c.open_passive();
  c.user_send(50);
  c.expect("P. 1:51 ack 1");
  c.peer(". 1:1 ack 51");
  std::uint32_t next = 1;
  for (int i = 0; i < 16; ++i) write_arrives(c, next, 51, true);
}

TEST(DelayedAck, A_reply_written_half_a_second_later_does_not_end_quick_ACKs) {
  Conversation c;
  c.open_passive();
  std::uint32_t next = 1;
  write_arrives(c, next, 1, true);
  c.wait(440ms);
  c.user_send(50);
  c.expect("P. 1:51 ack 101");
  c.peer(". 101:101 ack 51");
  for (int i = 0; i < 3; ++i) write_arrives(c, next, 51, true);
}

TEST(DelayedAck, A_reply_at_once_makes_ACKs_ride_on_replies_until_one_fails_to_come) {
  Conversation c;
  c.open_passive();
  std::uint32_t next = 1, sent = 1;
  const auto exchange = [&](bool first) {
    c.peer(fmt::format("P. {}:{} ack {}", next, next + 100, sent));
    next += 100;
    if (first) c.expect(fmt::format(". {0}:{0} ack {1}", sent, next));
    c.user_send(50);
    c.expect(fmt::format("P. {}:{} ack {}", sent, sent + 50, next));
    sent += 50;
    c.wait(60ms);
  };
  exchange(true);
  for (int i = 0; i < 3; ++i) exchange(false);
  c.user_receive(400);
  write_arrives(c, next, sent, false);  // No answer: the delay runs out,
  write_arrives(c, next, sent, true);   // and quick ACKs are there again.
}

TEST(DelayedAck, A_FIN_that_comes_first_of_all_is_acknowledged_within_2_ms) {
  Conversation c;
  c.open_passive();
  c.peer("F. 1:1 ack 1");
  c.expect_between(0ms, 2ms, ". 1:1 ack 2");
}

TEST(DelayedAck, A_FIN_after_data_waits_40_ms_for_the_programs_own) {
  for (const bool together : {false, true}) {
    Conversation c;
    c.open_passive();
    std::uint32_t next = 1;
    if (!together) write_arrives(c, next, 1, true);
    c.peer(together ? "FP. 1:101 ack 1" : "F. 101:101 ack 1");
    c.expect_between(39ms, 41ms, ". 1:1 ack 102");
    c.user_shutdown();
    c.expect("F. 1:1 ack 102");
  }
}

TEST(DelayedAck, SHLD_19_a_filled_hole_does_not_pass_for_a_large_segment) {
  for (const bool push : {false, true}) {
    Scene scene;
    scene.tcp.quick_acks = 0;
    Conversation c{scene};
    c.open_passive();
    const auto segment_of_500 = [&](std::uint32_t at) {
      c.peer(fmt::format("{} {}:{} ack 1", push ? "P." : ".", at, at + 500));
    };
    for (std::uint32_t at = 501; at < 10001; at += 500) {
      segment_of_500(at);
      c.take_sent();
    }
    segment_of_500(1);  // 10,000 octets become contiguous.
    c.take_sent();
    for (std::uint32_t at = 10001; at < 16001; at += 1000) {  // 12 segments, 6 ACKs.
      segment_of_500(at);
      c.expect_nothing();
      segment_of_500(at + 500);
      c.expect(fmt::format(". 1:1 ack {}", at + 1000));
    }
  }
}

TEST(DelayedAck, SHLD_19_a_super_segment_counts_with_the_size_of_its_segments) {
  Scene scene;
  scene.tcp.quick_acks = 0;
  PacketPool pool;
  Conversation c{scene};
  c.open_passive();
  // As a device with receive coalescing hands in: one packet, and what it was made of.
  const auto datagram = c.build(". 1:3001 ack 1");
  Packet packet = pool.allocate(datagram.size());
  std::ranges::copy(datagram, packet.linear().begin());
  packet.offload().segment_size = 600;
  c.stack().receive(std::span{&packet, 1}, c.now());
  c.run(0ms);
  c.take_sent();
  c.peer(". 3001:3601 ack 1");
  c.expect_nothing();
  c.peer(". 3601:4301 ack 1");  // Another size, so that only the super-segment has told one.
  c.expect(". 1:1 ack 4301");
}

}  // namespace
}  // namespace estab::script
