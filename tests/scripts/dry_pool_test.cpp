// SPDX-License-Identifier: Apache-2.0
// No memory for a packet: what is owed leaves when there is some again.
#include <gtest/gtest.h>

#include "scenes.hpp"

namespace estab::script {
namespace {

constexpr std::size_t limit = 1 << 20;

// Holds all of the pool but `left` bytes.
std::vector<BufferRef> hold_all_but(Conversation& c, std::size_t left) {
  std::vector<BufferRef> held;
  while (c.pool().live_bytes() + left + 512 <= limit) held.push_back(c.pool().allocate_chunk(256));
  return held;
}

TEST(DryPool, Text_that_finds_no_packet_leaves_when_there_are_some_again) {
  Conversation c{{.pool_limit = limit}};
  c.open_passive("win 65535 <mss 1460>");
  auto held = hold_all_but(c, 512);  // Room for what the program writes.
  c.user_send(200);
  c.expect_nothing();
  EXPECT_NE(c.stack().next_deadline(), never);
  c.wait(5s);
  c.expect_nothing();
  held.clear();
  c.expect_between(0ms, 2s, "P. 1:201 ack 1");
}

TEST(DryPool, A_FIN_that_finds_no_packet_leaves_when_there_are_some_again) {
  Conversation c{{.pool_limit = limit}};
  c.open_passive("win 65535 <mss 1460>");
  auto held = hold_all_but(c, 0);
  c.user_shutdown();
  c.wait(5s);
  held.clear();
  c.expect_between(0ms, 2s, "F. 1:1 ack 1");
}

TEST(DryPool, An_ACK_that_finds_no_packet_leaves_when_there_are_some_again) {
  Conversation c{{.pool_limit = limit}};
  c.open_passive("win 65535 <mss 1460>");
  auto held = hold_all_but(c, 512);  // Room for the segment.
  c.peer("P. 1:101 ack 1");
  c.expect_nothing();
  EXPECT_NE(c.stack().next_deadline(), never);
  c.wait(5s);
  held.clear();
  c.expect_soon(". 1:1 ack 101");
}

TEST(DryPool, A_retransmission_that_finds_no_packet_is_tried_again) {
  Conversation c{{.pool_limit = limit}};
  c.open_passive("win 65535 <mss 1460>");
  c.user_send(1000);
  c.expect("P. 1:1001 ack 1");
  auto held = hold_all_but(c, 0);
  c.wait(5s);
  held.clear();
  c.expect_between(0ms, 10s, "P. 1:1001 ack 1");
}

TEST(DryPool, A_program_whose_text_finds_no_memory_is_told_when_to_try_again) {
  Conversation c{{.pool_limit = limit}};
  c.open_passive("win 65535 <mss 1460>");
  c.line().notices = 0;
  auto held = hold_all_but(c, 0);
  const std::byte octet[1]{};
  const auto taken = c.stack().send(c.line().id, octet, {}, c.now());
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error(), Error::would_block);
  held.clear();
  c.run(2s);
  c.notified(notice::writable);
}

}  // namespace
}  // namespace estab::script
