// SPDX-License-Identifier: Apache-2.0
// Urgent data: RFC 9293 §3.8.5, RFC 6093. They stay in line; a mark tells where they end.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include "scenes.hpp"

namespace estab::script {
namespace {

constexpr SendFlags urgently{.push = true, .urgent = true, .more = false};

std::size_t remaining(Conversation& c) { return c.stack().urgent_remaining(c.line().id).value(); }
bool at_mark(Conversation& c) { return c.stack().at_mark(c.line().id).value(); }

TEST(Urgent, MUST_30_MUST_62_the_pointer_names_the_octet_after_the_urgent_data) {
  Conversation c;
  c.open_passive();
  c.user_send(3, urgently);
  c.expect("PU. 1:4 ack 1 urg 3");
  c.peer(". 1:1 ack 4");
  c.user_send(10);
  c.expect("P. 4:14 ack 1 urg 0");
}

TEST(Urgent, MUST_31_urgent_data_of_many_segments_are_pointed_to_by_each_of_them) {
  Conversation c;
  c.open_passive("win 65535 <mss 1000>");
  c.user_send(2500, urgently);
  c.expect("PU. 1:1001 ack 1 urg 2500");  // PSH goes with it, as on Linux.
  c.expect("PU. 1001:2001 ack 1 urg 1500");
  c.expect("PU. 2001:2501 ack 1 urg 500");
}

TEST(Urgent, A_pointer_past_16_bits_says_65535_until_it_can_be_told) {
  Conversation c;
  c.open_passive("win 65535 <mss 1000>");
  c.user_send(100000, urgently);
  const auto sent = c.take_sent();
  ASSERT_FALSE(sent.empty());
  for (const auto& segment : sent) {
    EXPECT_TRUE(segment.flags & 0x20);
    EXPECT_EQ(segment.urgent, std::min(65535u, 100001 - segment.seq));
  }
}

TEST(Urgent, The_pointer_goes_out_although_the_window_is_shut) {
  Conversation c;
  c.open_passive("win 0");
  c.user_send(3, urgently);
  c.expect_between(0ms, 1100ms, "U. ack 1");  // At once or with the probe; never an octet.
  c.run(10s);
  for (const auto& sent : c.take_sent()) {
    EXPECT_TRUE(sent.flags & 0x20);
    EXPECT_EQ(sent.length, 0u);
  }
}

TEST(Urgent, MUST_32_MUST_33_the_program_is_told_at_once_and_may_ask_how_much_remains) {
  Conversation c;
  c.open_passive();
  c.peer("PU. 1:101 ack 1 urg 60");
  c.expect_soon(". 1:1 ack 101");
  c.notified(notice::urgent);
  EXPECT_EQ(remaining(c), 60u);
  EXPECT_FALSE(at_mark(c));
  c.user_receive(20);
  EXPECT_EQ(remaining(c), 40u);
}

TEST(Urgent, A_read_stops_before_the_last_urgent_octet_so_that_the_mark_can_be_seen) {
  Conversation c;
  c.open_passive();
  c.peer("PU. 1:101 ack 1 urg 60");
  c.expect_soon(". 1:1 ack 101");
  std::vector<std::byte> text(100);
  EXPECT_EQ(c.stack().receive(c.line().id, text, c.now()).value(), 59u);
  EXPECT_TRUE(at_mark(c));
  EXPECT_EQ(remaining(c), 1u);
  EXPECT_EQ(c.stack().receive(c.line().id, text, c.now()).value(), 41u);
  EXPECT_FALSE(at_mark(c));
  EXPECT_EQ(remaining(c), 0u);
}

TEST(Urgent, MUST_32_the_program_is_told_of_urgent_data_that_have_not_come_yet) {
  Conversation c;
  c.open_passive();
  c.peer("U. 1:1 ack 1 urg 500");
  c.notified(notice::urgent);
  c.run(200ms);
  c.take_sent();
  EXPECT_EQ(remaining(c), 500u);
}

TEST(Urgent, MUST_32_the_program_is_told_again_when_the_pointer_advances_and_only_then) {
  Conversation c;
  c.open_passive();
  c.peer("PU. 1:11 ack 1 urg 10");
  c.notified(notice::urgent);
  c.run(200ms);
  c.take_sent();
  c.peer("PU. 1:11 ack 1 urg 10");
  c.run(200ms);
  c.take_sent();
  c.not_notified(notice::urgent);
  c.peer("PU. 11:21 ack 1 urg 10");
  c.notified(notice::urgent);
  c.run(200ms);
  c.take_sent();
}

TEST(Urgent, MUST_66_the_pointer_is_taken_while_our_window_is_shut) {
  Scene scene;
  scene.tcp.defaults.receive_buffer = 4000;
  Conversation c{scene};
  c.open_passive();
  std::uint32_t next = 1;
  for (int i = 0; i < 40 && c.status().receive_window > 0; ++i) {
    const auto text = std::min(1000u, c.status().receive_window);
    c.peer_batch({fmt::format(". {}:{} ack 1", next, next + text)});
    next += text;
    c.take_sent();
  }
  ASSERT_EQ(c.status().receive_window, 0u);
  c.peer(fmt::format("U. {}:{} ack 1 urg 9", next, next + 1));
  c.notified(notice::urgent);
  c.take_sent();
}

TEST(Urgent, Threats_21_whatever_the_pointer_says_the_stream_is_that_of_a_run_without_it) {
  for (const std::uint32_t length : {0u, 1u, 2u, 3u})
    for (const std::uint32_t pointer : {0u, 1u, length, length + 1, 65535u}) {
      Conversation c;
      c.open_passive();
      c.peer("P. 1:11 ack 1");
      c.take_sent();
      c.peer(fmt::format("PU. 11:{} ack 1 urg {}", 11 + length, pointer));
      c.take_sent();
      c.peer(fmt::format("P. {}:{} ack 1", 11 + length, 31 + length));
      c.take_sent();
      std::vector<std::byte> text(100);
      std::uint32_t read = 0;
      while (true) {
        const auto got = c.stack().receive(c.line().id, text, c.now());
        if (!got) break;
        for (std::size_t i = 0; i < *got; ++i)
          EXPECT_EQ(text[i], octet_at(1 + read + std::uint32_t(i)));
        read += std::uint32_t(*got);
      }
      EXPECT_EQ(read, 30 + length) << length << ' ' << pointer;
    }
}

TEST(Urgent, After_the_peers_FIN_its_pointer_is_ignored) {
  Conversation c;
  bring_to(c, State::close_wait);
  c.peer("U. 2:2 ack 1 urg 9");
  c.run(200ms);
  c.take_sent();
  c.not_notified(notice::urgent);
}

}  // namespace
}  // namespace estab::script
