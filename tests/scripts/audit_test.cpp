// SPDX-License-Identifier: Apache-2.0
// The stack's books say what it holds.
#include <gtest/gtest.h>

#include "conversation.hpp"

namespace estab::script {

TEST(Books, Count_listeners_and_those_who_wait_to_be_accepted) {
  Conversation c;
  const auto before = c.stack().memory();
  std::vector<ListenerId> listeners;
  for (std::uint16_t port = 1000; port < 2000; ++port)
    listeners.push_back(*c.stack().listen({{}, Port{port}}, {}, c.now()));
  EXPECT_GE(c.stack().memory(), before + 1000 * 200);
  EXPECT_EQ(c.stack().audit(), "");
  for (const auto id : listeners) EXPECT_TRUE(c.stack().close(id, c.now()));
  EXPECT_EQ(c.stack().memory(), before);
  EXPECT_EQ(c.stack().audit(), "");

  c.user_listen();
  const auto listening = c.stack().memory();
  for (std::uint16_t peer = 40000; peer < 40050; ++peer) {
    c.on(peer).peer("S 0:0");
    c.expect("S. 0:0 ack 1");
    c.peer(". 1:1 ack 1");
  }
  EXPECT_GE(c.stack().memory(), listening + 50 * (400 + 4));
  EXPECT_EQ(c.stack().audit(), "");
}

TEST(Books, Are_right_after_a_reset_with_data_unread_out_of_order_and_in_flight) {
  Conversation c({.tcp = full()});
  c.open_passive("win 65535 <mss 1460,sackOK,TS 1 0,nop,wscale 7>");
  c.user_send(20000);
  c.take_sent();
  c.peer("P. 1:1001 ack 1449 win 512 <nop,nop,TS 2 0>");
  c.take_sent();
  c.peer("P. 2001:3001 ack 1449 win 512 <nop,nop,TS 2 0>");
  c.take_sent();
  EXPECT_EQ(c.stack().audit(), "");
  c.peer("R. 1001:1001 ack 1449 win 512 <nop,nop,TS 2 0>");
  c.take_sent();
  EXPECT_EQ(c.stack().audit(), "");
}

}  // namespace estab::script
