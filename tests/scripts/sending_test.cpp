// SPDX-License-Identifier: Apache-2.0
// What leaves, and in which pieces: segment sizes, Nagle, silly windows, PSH, the initial window.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include "scenes.hpp"

namespace estab::script {
namespace {

TEST(Sending, MUST_15_without_an_MSS_option_the_peer_takes_536_or_1220_octets) {
  for (const bool v6 : {false, true}) {
    Conversation c{{.v6 = v6}};
    c.open_passive();
    c.user_send(2000);
    const std::uint32_t mss = v6 ? 1220 : 536;
    c.expect(fmt::format(". 1:{} ack 1", 1 + mss));
    EXPECT_EQ(c.status().send_mss, mss);
    c.take_sent();
  }
}

TEST(Sending, MUST_16_segments_are_as_large_as_the_peers_MSS_and_the_path_allow) {
  Conversation peer_is_smaller;
  peer_is_smaller.open_passive("win 65535 <mss 1000>");
  peer_is_smaller.user_send(1000);
  peer_is_smaller.expect("P. 1:1001 ack 1");
  Conversation path_is_smaller{{.mtu = 1000}};
  path_is_smaller.open_passive("win 65535 <mss 1460>");
  path_is_smaller.user_send(961);
  path_is_smaller.expect(". 1:961 ack 1");
  path_is_smaller.expect("P. 961:962 ack 1");
}

TEST(Sending, MUST_16_options_take_their_room_from_the_text) {
  Scene scene;
  scene.tcp.timestamps = true;
  Conversation c{scene};
  c.open_passive("win 65535 <mss 1460,nop,nop,TS 1 0>");
  c.user_send(1448);
  c.expect("P. 1:1449 ack 1 <nop,nop,TS . 1>");
}

TEST(Sending, MUST_14_MUST_67_SHLD_5_MAY_3_the_MSS_that_a_SYN_offers_is_the_MTU_less_the_headers) {
  struct Case {
    bool v6;
    std::uint32_t mtu, mss;
  };
  for (const auto& [v6, mtu, mss] : {Case{false, 1500, 1460},
                                     {false, 9000, 8960},
                                     {false, 576, 536},
                                     {true, 1500, 1440},
                                     {true, 1280, 1220}}) {
    Conversation c{{.v6 = v6, .mtu = mtu}};
    c.user_connect();
    c.expect(fmt::format("S 0:0 <mss {}>", mss));
  }
}

TEST(Sending, MUST_65_the_MSS_option_is_on_no_segment_but_a_SYN) {
  Conversation c;
  c.open_active("win 65535 <mss 1460>");
  c.user_send(100);
  c.expect("P. 1:101 ack 1 <>");
  c.user_shutdown();
  c.take_sent();
  c.peer("F. 1:1 ack 102");
  c.expect_soon(". 102:102 ack 2 <>");
}

TEST(Sending, RFC_6928_ten_segments_leave_at_first) {
  Conversation c;
  c.open_passive("win 65535 <mss 1000>");
  c.user_send(30000);
  EXPECT_EQ(c.take_sent().size(), 10u);
  EXPECT_EQ(c.status().flight, 10000u);
  c.peer(". 1:1 ack 2001");  // Slow start: what is acknowledged leaves, and as much again.
  EXPECT_EQ(c.take_sent().size(), 4u);
}

TEST(Sending, RFC_5681_one_segment_leaves_at_first_when_the_SYN_was_sent_again) {
  Conversation c;
  c.user_connect();
  c.expect("S 0:0");
  c.expect_between(1s, 1100ms, "S 0:0");
  c.peer("S. 0:0 ack 1 win 65535 <mss 1000>");
  c.expect(". 1:1 ack 1");
  c.user_send(5000);
  c.expect(". 1:1001 ack 1");
}

TEST(Sending, Flight_stays_within_the_peers_window) {
  Conversation c;
  c.open_passive("win 2500 <mss 1000>");
  c.user_send(9000);
  c.expect(". 1:1001 ack 1");
  c.expect(". 1001:2001 ack 1");
  c.peer(". 1:1 ack 2001 win 3000");
  c.expect(". 2001:3001 ack 1");
  c.expect(". 3001:4001 ack 1");
  c.expect(". 4001:5001 ack 1");
}

TEST(Sending, SHLD_7_Nagle_while_something_is_out_small_text_waits_for_its_ACK) {
  Conversation c;
  c.open_passive("win 65535 <mss 1000>");
  c.user_send(10);
  c.expect("P. 1:11 ack 1");
  c.user_send(10);
  c.user_send(20);
  c.wait(100ms);
  c.peer(". 1:1 ack 11");
  c.expect("P. 11:41 ack 1");  // MAY-16: together.
  c.user_send(1500);
  c.expect(". 41:1041 ack 1");  // A full segment does not wait; the rest does.
  c.peer(". 1:1 ack 1041");
  c.expect("P. 1041:1541 ack 1");
}

TEST(Sending, MUST_17_the_program_can_turn_Nagle_off) {
  Conversation c;
  c.open_passive("win 65535 <mss 1000>");
  auto options = c.options();
  EXPECT_TRUE(options.nagle);
  options.nagle = false;
  c.user_options(options);
  c.user_send(10);
  c.expect("P. 1:11 ack 1");
  c.user_send(10);
  c.expect("P. 11:21 ack 1");
}

TEST(Sending, Turning_Nagle_off_sends_what_waits) {
  Conversation c;
  c.open_passive("win 65535 <mss 1000>");
  c.user_send(10);
  c.expect("P. 1:11 ack 1");
  c.user_send(10);
  auto options = c.options();
  options.nagle = false;
  c.user_options(options);
  c.expect("P. 11:21 ack 1");
}

TEST(Sending, MSG_MORE_holds_a_partial_segment_but_MUST_60_not_indefinitely) {
  Conversation c;
  c.open_passive("win 65535 <mss 1000>");
  c.user_send(600, {.push = true, .urgent = false, .more = true});
  c.wait(50ms);
  c.user_send(600);
  c.expect(". 1:1001 ack 1");
  c.expect("P. 1001:1201 ack 1");
  c.peer(". 1:1 ack 1201");
  c.user_send(10, {.push = true, .urgent = false, .more = true});
  c.expect_between(100ms, 500ms, "P. 1201:1211 ack 1");
}

TEST(Sending, A_FIN_sends_what_Nagle_holds) {
  Conversation c;
  c.open_passive("win 65535 <mss 1000>");
  c.user_send(10);
  c.expect("P. 1:11 ack 1");
  c.user_send(10);
  c.user_shutdown();
  c.expect("FP. 11:21 ack 1");
}

TEST(Sending, MUST_61_SHLD_27_PSH_stands_on_the_last_segment_of_a_write_alone) {
  Conversation c;
  c.open_passive("win 65535 <mss 1000>");
  c.user_send(3000);
  c.expect(". 1:1001 ack 1");
  c.expect(". 1001:2001 ack 1");
  c.expect("P. 2001:3001 ack 1");
}

TEST(Sending, MUST_61_PSH_stands_on_the_last_buffered_segment_even_without_PUSH_calls) {
  Conversation c;
  c.open_passive("win 65535 <mss 1000>");
  c.user_send(1500, {.push = false, .urgent = false, .more = false});
  c.expect(". 1:1001 ack 1");
  c.expect("P. 1001:1501 ack 1");
}

TEST(Sending, MUST_38_a_silly_window_is_not_filled) {
  Conversation c;
  c.open_passive("win 2000 <mss 1000>");
  c.user_send(10000);
  c.expect(". 1:1001 ack 1");
  c.expect(". 1001:2001 ack 1");
  c.peer(". 1:1 ack 2001 win 100");  // Under a segment and under half the largest window.
  c.wait(150ms);
  c.peer(". 1:1 ack 2001 win 999");
  c.wait(50ms);
  c.peer(". 1:1 ack 2001 win 1000");  // Half the largest window, and a full segment.
  c.expect(". 2001:3001 ack 1");
}

TEST(Sending, MUST_38_half_the_largest_window_is_worth_a_segment) {
  Conversation c;
  c.open_passive("win 600 <mss 1000>");
  c.user_send(10000);
  c.expect(". 1:601 ack 1");
  c.peer(". 1:1 ack 601 win 299");
  c.wait(50ms);
  c.peer(". 1:1 ack 601 win 300");
  c.expect(". 601:901 ack 1");
}

TEST(Sending, MUST_38_MUST_60_the_override_timeout_sends_into_a_silly_window_in_the_end) {
  Conversation c;
  c.open_passive("win 2000 <mss 1000>");
  c.user_send(10000);
  c.expect(". 1:1001 ack 1");
  c.expect(". 1001:2001 ack 1");
  c.peer(". 1:1 ack 2001 win 100");
  c.expect_between(100ms, 1100ms, ". 2001:2101 ack 1");
}

TEST(Sending, SHLD_28_text_that_waited_leaves_in_full_segments) {
  Conversation c;
  c.open_passive("win 65535 <mss 1000>");
  c.user_send(1);
  c.expect("P. 1:2 ack 1");
  for (int i = 0; i < 35; ++i) c.user_send(100), c.take_sent();
  c.peer(". 1:1 ack 2");
  c.run(0s);
  EXPECT_LE(c.take_sent().size(), 4u);
}

TEST(Sending, The_send_buffer_gives_back_pressure_and_says_when_there_is_room) {
  Scene scene;
  scene.tcp.defaults.send_buffer = 20000;
  Conversation c{scene};
  c.open_passive("win 10000 <mss 1000>");
  std::vector<std::byte> text(50000);
  for (std::uint32_t i = 0; i < text.size(); ++i) text[i] = octet_at(1 + i);
  const auto taken = c.stack().send(c.line().id, text, {}, c.now());
  ASSERT_TRUE(taken);
  EXPECT_LE(*taken, 20000u);
  EXPECT_EQ(c.stack().send(c.line().id, text, {}, c.now()).error(), Error::would_block);
  c.run(0s);
  EXPECT_EQ(c.take_sent().size(), 10u);
  c.line().notices = 0;
  c.peer(". 1:1 ack 10001 win 10000");
  c.take_sent();
  c.notified(notice::writable);
}

}  // namespace
}  // namespace estab::script
