// SPDX-License-Identifier: Apache-2.0
// What we acknowledge, when, and what window we offer: RFC 9293 §3.8.6.2.2, §3.8.6.3, §3.10.7.4.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include "scenes.hpp"

namespace estab::script {
namespace {

Scene without_quick_acks() {
  Scene scene;
  scene.tcp.quick_acks = 0;
  return scene;
}

TEST(Receiving, MUST_40_SHLD_18_an_ACK_is_delayed_by_40_ms_at_first) {
  Conversation c{without_quick_acks()};
  c.open_passive();
  c.peer("P. 1:101 ack 1");
  c.wait(39ms);
  c.expect_between(0ms, 3ms, ". 1:1 ack 101");
  EXPECT_EQ(c.count(Reason::send_delayed_ack), 1u);
}

TEST(Receiving, MUST_40_no_ACK_is_delayed_by_half_a_second_whatever_the_peers_pace) {
  Conversation c{without_quick_acks()};
  c.open_passive();
  std::uint32_t next = 1;
  for (const Duration pace : {1ms, 20ms, 50ms, 90ms, 190ms, 400ms, 3000ms})
    for (int i = 0; i < 20; ++i, next += 10) {
      c.peer(fmt::format("P. {}:{} ack 1", next, next + 10));
      c.expect_between(0ms, 200ms, fmt::format(". 1:1 ack {}", next + 10));
      c.wait(pace);
    }
}

TEST(Receiving, SHLD_19_every_second_full_segment_is_acknowledged_at_once) {
  Conversation c{without_quick_acks()};
  c.open_passive();
  std::uint32_t next = 1;
  for (int i = 0; i < 10; ++i, next += 2920) {
    c.peer(fmt::format(". {}:{} ack 1", next, next + 1460));
    c.expect_nothing();
    c.peer(fmt::format(". {}:{} ack 1", next + 1460, next + 2920));
    c.expect(fmt::format(". 1:1 ack {}", next + 2920));
  }
}

TEST(Receiving, The_first_segments_of_a_connection_are_acknowledged_at_once) {
  Conversation c;
  c.open_passive();
  for (std::uint32_t next = 1; next < 500; next += 100) {
    c.peer(fmt::format("P. {}:{} ack 1", next, next + 100));
    c.expect(fmt::format(". 1:1 ack {}", next + 100));
  }
}

TEST(Receiving, MUST_58_MUST_59_segments_that_arrive_together_draw_one_ACK) {
  Conversation c;
  c.open_passive();
  c.peer_batch({". 1:1461 ack 1", ". 1461:2921 ack 1", ". 2921:4381 ack 1", "P. 4381:5000 ack 1"});
  c.expect(". 1:1 ack 5000");
}

TEST(Receiving, An_ACK_rides_on_the_answer) {
  Conversation c{without_quick_acks()};
  c.open_passive();
  c.peer("P. 1:101 ack 1");
  c.user_receive(100);
  c.user_send(50);
  c.expect("P. 1:51 ack 101");
  c.peer(". 101:101 ack 51");
  c.wait(1s);
}

TEST(Receiving, SHLD_31_MAY_13_text_out_of_order_is_kept_and_acknowledged_at_once) {
  Conversation c{without_quick_acks()};
  c.open_passive();
  c.peer("P. 201:301 ack 1");
  c.expect(". 1:1 ack 1", Reason::send_duplicate_ack);
  c.peer("P. 101:201 ack 1");
  c.expect(". 1:1 ack 1", Reason::send_duplicate_ack);
  c.user_receive_error(Error::would_block);
  c.peer("P. 1:101 ack 1");
  c.expect(". 1:1 ack 301");  // Filling a hole: at once.
  c.user_receive(300);
}

TEST(Receiving, Text_that_overlaps_is_delivered_once) {
  Conversation c;
  c.open_passive();
  for (const auto* spec : {"P. 301:501 ack 1", "P. 201:401 ack 1", "P. 450:460 ack 1",
                           "P. 101:601 ack 1", "P. 51:151 ack 1", "P. 1:61 ack 1"}) {
    c.peer(spec);
    c.take_sent();
  }
  c.run(200ms);
  c.take_sent();
  c.user_receive(600);
  c.user_receive_error(Error::would_block);
}

TEST(Receiving, Threats_54_where_copies_differ_the_first_is_delivered) {
  Conversation c;
  c.open_passive();
  c.peer("P. 101:201 ack 1");
  c.take_sent();
  auto other = c.build("P. 1:201 ack 1");
  for (std::size_t i = 40 + 100; i < other.size(); ++i) other[i] = ~other[i];
  store_be(&other[36], std::uint16_t{0});
  const auto& flow = c.line().flow;
  auto sum = wire::pseudo_header(flow.remote.address, flow.local.address, wire::Protocol::tcp,
                                 std::uint32_t(other.size() - 20));
  store_be(&other[36], sum.add(Bytes{other}.subspan(20)).value());
  c.peer_raw(std::move(other));
  c.run(200ms);
  c.take_sent();
  c.user_receive(200);
}

TEST(Receiving, A_duplicate_is_acknowledged_at_once) {
  Conversation c{without_quick_acks()};
  c.open_passive();
  c.peer("P. 1:101 ack 1");
  c.expect_soon(". 1:1 ack 101");
  c.peer("P. 1:101 ack 1");
  c.expect(". 1:1 ack 101");
}

TEST(Receiving, MUST_39_the_window_is_not_opened_by_less_than_a_segment) {
  Scene scene;
  scene.tcp.defaults.receive_buffer = 10000;
  Conversation c{scene};
  c.open_passive();
  std::uint32_t next = 1;
  for (int i = 0; i < 40 && c.status().receive_window > 0; ++i) {
    const auto text = std::min(1000u, c.status().receive_window);
    c.peer_batch({fmt::format(". {}:{} ack 1", next, next + text)});
    next += text;
    c.run(200ms);
    c.take_sent();
  }
  ASSERT_EQ(c.status().receive_window, 0u);
  for (int i = 0; i < 9; ++i)
    c.user_receive(100);  // Under a segment of this peer, and half of all.
  c.wait(1s);
  std::vector<Segment> sent;
  for (int i = 0; i < 40; ++i) {
    c.user_receive(100);
    for (const auto& update : c.take_sent()) sent.push_back(update);
  }
  ASSERT_FALSE(sent.empty());
  EXPECT_LE(sent.size(), 3u);
  for (const auto& update : sent) EXPECT_GE(update.window, 1000u);
}

TEST(Receiving, SHLD_14_the_right_edge_of_the_window_never_moves_left) {
  for (const auto* options : {"win 65535 <mss 1460>", "win 65535 <mss 1460,nop,wscale 7>"}) {
    Scene scene;
    scene.tcp.window_scaling = true;
    scene.tcp.defaults.receive_buffer = 200000;
    Conversation c{scene};
    c.open_passive(options);
    const auto scale = c.status().receive_scale;
    std::uint32_t next = 1, edge = 0;
    const auto see = [&] {
      for (const auto& sent : c.take_sent()) {
        const auto now = sent.ack + (sent.window << scale);
        EXPECT_GE(now, edge) << c.transcript();
        edge = std::max(edge, now);
      }
    };
    for (int i = 0; i < 400; ++i) {
      const auto text = std::min(1u + std::uint32_t(i) * 7 % 1460, c.status().receive_window);
      c.peer_batch({fmt::format(". {}:{} ack 1", next, next + text)});
      next += text;
      see();
      std::vector<std::byte> some(std::size_t(i) * 13 % 900);
      (void)c.stack().receive(c.line().id, some, c.now());
      c.run(7ms);
      see();
    }
  }
}

TEST(Receiving, MAY_8_a_program_that_does_not_read_shuts_the_window_and_reading_opens_it) {
  Scene scene;
  scene.tcp.defaults.receive_buffer = 8000;
  Conversation c{scene};
  c.open_passive();
  std::uint32_t next = 1;
  while (c.status().receive_window > 0 && next < 100000) {
    const auto text = std::min(1000u, c.status().receive_window);
    c.peer_batch({fmt::format(". {}:{} ack 1", next, next + text)});
    next += text;
    c.run(200ms);
    c.take_sent();
  }
  c.peer(fmt::format(". {}:{} ack 1", next, next + 1));
  c.expect_soon(fmt::format(". 1:1 ack {} win 0", next));
  c.wait(3600s);
  c.user_receive(next - 1);
  c.expect(fmt::format(". 1:1 ack {}", next), Reason::send_window_update);
  EXPECT_GE(c.status().receive_window, 4000u);
}

TEST(Receiving, The_program_is_told_when_there_is_something_to_read) {
  Conversation c;
  c.open_passive();
  c.user_receive_error(Error::would_block);
  c.peer("P. 1:101 ack 1");
  c.expect_soon(". 1:1 ack 101");
  c.notified(notice::readable);
  EXPECT_EQ(c.stack().available(c.line().id).value(), 100u);
}

}  // namespace
}  // namespace estab::script
