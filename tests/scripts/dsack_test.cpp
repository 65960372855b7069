// SPDX-License-Identifier: Apache-2.0
// D-SACK (RFC 2883 §4): each duplicate is told once, in the first block, and where more is held
// around it the second block says so. The cases are those of a Linux receiver.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include "scenes.hpp"

namespace estab::script {
namespace {

Scene sack() {
  Scene scene;
  scene.tcp.sack = true;
  return scene;
}

void arrives(Conversation& c, std::string_view spec, std::string_view answer) {
  c.peer(spec);
  c.expect_soon(answer);
}

TEST(Dsack, A_whole_segment_that_came_before_is_told) {
  Conversation c{sack()};
  c.open_passive("win 65535 <mss 1460,nop,nop,sackOK>");
  arrives(c, "P. 1:101 ack 1", ". 1:1 ack 101 <>");
  arrives(c, "P. 1:101 ack 1", ". 1:1 ack 101 <nop,nop,sack 1:101>");
  arrives(c, "P. 101:201 ack 1", ". 1:1 ack 201 <>");  // Once.
}

TEST(Dsack, Of_a_segment_partly_below_RCV_NXT_the_part_below_is_told) {
  Conversation c{sack()};
  c.open_passive("win 65535 <mss 1460,nop,nop,sackOK>");
  arrives(c, "P. 1:101 ack 1", ". 1:1 ack 101 <>");
  arrives(c, "P. 51:151 ack 1", ". 1:1 ack 151 <nop,nop,sack 51:101>");
  c.user_receive(150);
}

TEST(Dsack, Of_what_is_held_the_first_duplicate_part_is_told_and_then_the_block_around_it) {
  Conversation c{sack()};
  c.open_passive("win 65535 <mss 1460,nop,nop,sackOK>");
  arrives(c, "P. 1:151 ack 1", ". 1:1 ack 151 <>");
  arrives(c, "P. 301:401 ack 1", ". 1:1 ack 151 <nop,nop,sack 301:401>");
  arrives(c, "P. 301:401 ack 1", ". 1:1 ack 151 <nop,nop,sack 301:401 301:401>");
  arrives(c, "P. 351:451 ack 1", ". 1:1 ack 151 <nop,nop,sack 351:401 301:451>");
  arrives(c, "P. 251:501 ack 1", ". 1:1 ack 151 <nop,nop,sack 301:451 251:501>");
  arrives(c, "P. 601:701 ack 1", ". 1:1 ack 151 <nop,nop,sack 601:701 251:501>");
  arrives(c, "P. 201:801 ack 1", ". 1:1 ack 151 <nop,nop,sack 251:501 201:801>");
  arrives(c, "P. 151:301 ack 1", ". 1:1 ack 801 <nop,nop,sack 201:301>");
  c.user_receive(800);
}

TEST(Dsack, A_segment_in_order_that_runs_over_what_is_held_tells_the_first_part) {
  Conversation c{sack()};
  c.open_passive("win 65535 <mss 1460,nop,nop,sackOK>");
  arrives(c, "P. 101:201 ack 1", ". 1:1 ack 1 <nop,nop,sack 101:201>");
  arrives(c, "P. 301:401 ack 1", ". 1:1 ack 1 <nop,nop,sack 301:401 101:201>");
  arrives(c, "P. 1:501 ack 1", ". 1:1 ack 501 <nop,nop,sack 101:201>");
  c.user_receive(500);
}

TEST(Dsack, The_block_around_the_duplicate_comes_before_newer_ones) {
  Conversation c{sack()};
  c.open_passive("win 65535 <mss 1460,nop,nop,sackOK>");
  arrives(c, "P. 101:201 ack 1", ". 1:1 ack 1 <nop,nop,sack 101:201>");
  arrives(c, "P. 301:401 ack 1", ". 1:1 ack 1 <nop,nop,sack 301:401 101:201>");
  c.peer_batch({"P. 101:151 ack 1", "P. 501:601 ack 1"});
  c.expect(". 1:1 ack 1 <nop,nop,sack 101:151 101:201 501:601 301:401>");
}

TEST(Dsack, Beside_timestamps_there_is_room_for_three_blocks) {
  Conversation c{{.tcp = full()}};
  c.open_passive("win 65535 <mss 1460,sackOK,TS 1 0,nop,wscale 7>");
  for (const auto* spec :
       {"P. 101:201 ack 1 <TS 2 0>", "P. 301:401 ack 1 <TS 2 0>", "P. 501:601 ack 1 <TS 2 0>"}) {
    c.peer(spec);
    c.take_sent();
  }
  c.peer("P. 101:151 ack 1 <TS 2 0>");
  c.expect(". 1:1 ack 1 <nop,nop,TS . 1,nop,nop,sack 101:151 101:201 501:601>");
}

TEST(Dsack, A_duplicate_across_RCV_NXT_and_what_is_held_tells_the_part_below) {
  Conversation c{sack()};
  c.open_passive("win 65535 <mss 1460,nop,nop,sackOK>");
  arrives(c, "P. 1:101 ack 1", ". 1:1 ack 101 <>");
  arrives(c, "P. 201:301 ack 1", ". 1:1 ack 101 <nop,nop,sack 201:301>");
  arrives(c, "P. 51:351 ack 1", ". 1:1 ack 351 <nop,nop,sack 51:101>");
}

TEST(Dsack, Duplicates_of_one_batch_that_touch_are_told_as_one_block) {
  Conversation c{sack()};
  c.open_passive("win 65535 <mss 1460,nop,nop,sackOK>");
  c.peer_batch({"P. 1:101 ack 1", "P. 101:201 ack 1", "P. 201:301 ack 1"});
  c.expect(". 1:1 ack 301 <>");
  c.peer_batch({"P. 1:101 ack 1", "P. 101:201 ack 1"});
  c.expect(". 1:1 ack 301 <nop,nop,sack 1:201>");
}

TEST(Dsack, A_FIN_that_came_before_counts_with_its_number) {
  Conversation c{sack()};
  c.open_passive("win 65535 <mss 1460,nop,nop,sackOK>");
  arrives(c, "FP. 1:101 ack 1", ". 1:1 ack 102 <>");
  arrives(c, "FP. 1:101 ack 1", ". 1:1 ack 102 <nop,nop,sack 1:102>");
  arrives(c, "F. 101:101 ack 1", ". 1:1 ack 102 <nop,nop,sack 101:102>");
}

TEST(Dsack, A_probe_of_one_octet_at_a_shut_window_is_no_duplicate) {
  auto scene = sack();
  scene.tcp.defaults.receive_buffer = 2000;
  Conversation c{scene};
  c.open_passive("win 65535 <mss 1460,nop,nop,sackOK>");
  std::uint32_t next = 1;
  for (int i = 0; i < 40 && c.status().receive_window > 0; ++i) {
    const auto to = next + std::min(500u, c.status().receive_window);
    c.peer(fmt::format(". {}:{} ack 1", next, to));
    next = to;
    c.run(200ms);
    c.take_sent();
  }
  c.peer(fmt::format(". {}:{} ack 1", next, next + 1));
  c.expect(fmt::format(". 1:1 ack {} win 0 <>", next));
  c.peer(fmt::format(". {}:{} ack 1", next - 1, next));  // A keep-alive with an octet was here.
  c.expect(fmt::format(". 1:1 ack {0} win 0 <nop,nop,sack {1}:{0}>", next, next - 1));
}

}  // namespace
}  // namespace estab::script
