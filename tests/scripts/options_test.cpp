// SPDX-License-Identifier: Apache-2.0
// Timestamps and selective acknowledgments: RFC 7323 §3 to §5, RFC 2018, RFC 2883.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include "scenes.hpp"

namespace estab::script {
namespace {

Scene with(bool timestamps, bool sack) {
  Scene scene;
  scene.tcp.timestamps = timestamps;
  scene.tcp.sack = sack;
  return scene;
}

// The peer's clock shows 1000.
void open_with_timestamps(Conversation& c) {
  if (!c.stack().status(c.listener())) c.user_listen();
  c.peer("S 0:0 <mss 1460,nop,nop,TS 1000 0>");
  c.expect("S. 0:0 ack 1 <mss 1460,nop,nop,TS 0 1000>");
  c.peer(". 1:1 ack 1 <nop,nop,TS 1000 0>");
  c.user_accept();
}

TEST(Timestamps, X_12_they_are_on_every_segment_once_agreed_and_count_milliseconds) {
  Conversation c{with(true, false)};
  open_with_timestamps(c);
  c.wait(250ms);
  c.user_send(100);
  c.expect("P. 1:101 ack 1 <nop,nop,TS 250 1000>");
  c.peer("P. 1:101 ack 101 <nop,nop,TS 1250 250>");
  c.expect_soon(". 101:101 ack 101 <nop,nop,TS . 1250>");
  c.user_shutdown();
  c.expect("F. 101:101 ack 101 <nop,nop,TS . 1250>");
}

TEST(Timestamps,
     X_12_a_segment_without_them_is_taken_once_they_were_agreed_unless_they_are_demanded) {
  auto strict = with(true, false);
  strict.tcp.require_timestamps = true;
  Conversation c{strict};
  open_with_timestamps(c);
  c.peer("P. 1:101 ack 1");
  c.user_receive_error(Error::would_block);
  EXPECT_EQ(c.count(Reason::timestamp_missing), 1u);
  c.take_sent();
  Conversation linux_like{with(true, false)};
  open_with_timestamps(linux_like);
  linux_like.peer("P. 1:101 ack 1");
  linux_like.expect_soon(". 1:1 ack 101 <nop,nop,TS . 1000>");  // TS.Recent is as it was.
  EXPECT_EQ(linux_like.count(Reason::timestamp_missing), 1u);
}

TEST(Timestamps, X_12_PAWS_a_segment_with_an_older_timestamp_is_acknowledged_and_dropped) {
  Conversation c{with(true, false)};
  open_with_timestamps(c);
  c.peer("P. 1:101 ack 1 <nop,nop,TS 999 0>");
  c.expect(". 1:1 ack 1 <nop,nop,TS . 1000>");
  EXPECT_EQ(c.count(Reason::paws), 1u);
  c.user_receive_error(Error::would_block);
  c.peer("P. 1:101 ack 1 <nop,nop,TS 1000 0>");
  c.expect_soon(". 1:1 ack 101 <nop,nop,TS . 1000>");
}

TEST(Timestamps, X_12_a_reset_is_exempt_from_PAWS_and_from_the_missing_option) {
  for (const auto* options : {"<nop,nop,TS 5 0>", "<>"}) {
    Conversation c{with(true, false)};
    open_with_timestamps(c);
    c.peer(fmt::format("R 1:1 {}", options));
    c.state(State::listen);
    c.ended_with(Error::reset);
  }
}

TEST(Timestamps, X_12_TS_Recent_is_taken_only_from_the_segment_that_spans_the_last_ACK_sent) {
  Conversation c{with(true, false)};
  open_with_timestamps(c);
  c.peer("P. 101:201 ack 1 <nop,nop,TS 1200 0>");  // Out of order: not taken.
  c.expect(". 1:1 ack 1 <nop,nop,TS . 1000>");
  c.peer("P. 1:101 ack 1 <nop,nop,TS 1100 0>");
  c.expect_soon(". 1:1 ack 201 <nop,nop,TS . 1100>");
}

TEST(Timestamps, Threats_35_a_forged_timestamp_behind_the_last_ACK_does_not_poison) {
  Conversation c{with(true, false)};
  open_with_timestamps(c);
  c.peer("P. 501:601 ack 1 <nop,nop,TS 2147484000 0>");
  c.take_sent();
  c.peer("P. 1:101 ack 1 <nop,nop,TS 1010 0>");
  c.expect_soon(". 1:1 ack 101 <nop,nop,TS . 1010>");
}

TEST(Timestamps, RFC_7323_5_5_after_24_days_of_silence_an_old_timestamp_is_taken) {
  Conversation c{with(true, false)};
  open_with_timestamps(c);
  c.wait(24h * 25);
  c.peer("P. 1:101 ack 1 <nop,nop,TS 5 0>");
  c.expect_soon(". 1:1 ack 101 <nop,nop,TS . 5>");
}

TEST(Timestamps, RFC_7323_4_1_the_RTT_is_measured_by_them_even_across_a_retransmission) {
  Conversation c{with(true, false)};
  c.user_listen();
  c.peer("S 0:0 <mss 1460,nop,nop,TS 1000 0>");
  c.expect("S. 0:0 ack 1");
  c.wait(50ms);
  c.peer(". 1:1 ack 1 <nop,nop,TS 1050 0>");
  c.user_accept();
  EXPECT_NEAR(double(c.status().srtt / 1ms), 50, 2);
  c.user_send(100);
  c.expect("P. 1:101 ack 1 <nop,nop,TS 50 1050>");
  c.run(1100ms);
  c.take_sent();
  c.peer(fmt::format(". 1:1 ack 101 <nop,nop,TS 1100 {}>", c.elapsed() / 1ms - 210));
  EXPECT_NEAR(double(c.status().srtt / 1ms), 70, 4);  // 7/8 of 50 and 1/8 of 210.
}

TEST(Timestamps, Threats_34_two_connections_clocks_have_nothing_to_do_with_each_other) {
  Conversation c{with(true, false)};
  open_with_timestamps(c);
  const auto first = c.line().clock.value_or(0);
  c.on(40001);
  open_with_timestamps(c);
  const auto apart = std::int32_t(c.line().clock.value_or(0) - first);
  EXPECT_GT(std::abs(double(apart)), 86400e3);  // More than a day of milliseconds, for these keys.
}

TEST(Sack, X_14_RFC_2018_what_was_received_out_of_order_is_told_latest_first) {
  Conversation c{with(false, true)};
  c.open_passive("win 65535 <mss 1460,nop,nop,sackOK>");
  c.peer(". 101:201 ack 1");
  c.expect(". 1:1 ack 1 <nop,nop,sack 101:201>");
  c.peer(". 301:401 ack 1");
  c.expect(". 1:1 ack 1 <nop,nop,sack 301:401 101:201>");
  c.peer(". 501:601 ack 1");
  c.expect(". 1:1 ack 1 <nop,nop,sack 501:601 301:401 101:201>");
  c.peer(". 201:301 ack 1");
  c.expect(". 1:1 ack 1 <nop,nop,sack 101:401 501:601>");
  c.peer(". 1:101 ack 1");
  c.expect(". 1:1 ack 401 <nop,nop,sack 501:601>");
  c.peer(". 401:501 ack 1");
  c.expect_soon(". 1:1 ack 601 <>");
}

TEST(Sack, Three_blocks_have_room_beside_timestamps) {
  Conversation c{with(true, true)};
  c.user_listen();
  c.peer("S 0:0 <mss 1460,sackOK,TS 1 0>");
  c.expect("S. 0:0 ack 1 <mss 1460,sackOK,TS 0 1>");
  c.peer(". 1:1 ack 1 <nop,nop,TS 1 0>");
  c.user_accept();
  for (std::uint32_t at = 101; at < 1000; at += 200) {
    c.take_sent();
    c.peer(fmt::format(". {}:{} ack 1 <nop,nop,TS 1 0>", at, at + 100));
  }
  c.expect(". 1:1 ack 1 <nop,nop,TS 0 1,nop,nop,sack 901:1001 701:801 501:601>");
}

TEST(Sack, RFC_2883_a_duplicate_is_told_in_the_first_block) {
  Conversation c{with(false, true)};
  c.open_passive("win 65535 <mss 1460,nop,nop,sackOK>");
  c.peer(". 1:101 ack 1");
  c.expect_soon(". 1:1 ack 101 <>");
  c.peer(". 1:101 ack 1");
  c.expect(". 1:1 ack 101 <nop,nop,sack 1:101>");
}

TEST(Sack, Threats_12_blocks_that_cannot_be_true_change_nothing) {
  for (const std::uint32_t begin_offset :
       {0u, 1u, ~0u, 1u << 30, ~(1u << 30), 1u << 31, (1u << 31) + 1, ~(1u << 31), 5001u, 5002u})
    for (const std::uint32_t end_offset :
         {0u, 1u, ~0u, 1u << 30, 1u << 31, (1u << 31) - 1, 5001u, 5002u}) {
      Conversation c{with(false, true)};
      c.open_passive("win 65535 <mss 1000,nop,nop,sackOK>");
      c.user_send(5000);
      c.take_sent();
      const auto begin = 1 + begin_offset, end = 1 + end_offset;
      const bool valid = begin_offset < 5000 && begin_offset < end_offset && end_offset <= 5000;
      if (valid) continue;
      for (int i = 0; i < 10; ++i) {
        c.peer(fmt::format(". 1:1 ack 1 win {} <nop,nop,sack {}:{}>", 60000 + i,
                           std::int32_t(begin),
                           std::int32_t(end)));  // A new window each: no duplicate ACKs.
        c.expect_nothing();
      }
      EXPECT_EQ(c.status().octets_retransmitted, 0u);
      EXPECT_EQ(c.status().flight, 5000u);
    }
}

}  // namespace
}  // namespace estab::script
