// SPDX-License-Identifier: Apache-2.0
// Answers to peers that have proved nothing: each kind has limits of its own, a record or
// connection at a time, a network at a time, and all together.
#include <gtest/gtest.h>

#include "scenes.hpp"

namespace estab::script {
namespace {

// In a network of its own.
Flow stranger(unsigned n, std::uint16_t local_port = 81) {
  return {{*Address::parse("192.0.2.1"), Port{local_port}},
          {Address::v4(20, std::uint8_t(n >> 8), std::uint8_t(n), 7), Port{9}}};
}
void route_all(Conversation& c) { c.stack().add_route({*Prefix::parse("0.0.0.0/0"), 0}); }

// How many answers so many of the same segment draw at once.
std::size_t drawn(Conversation& c, const std::string& segment, int count = 1000) {
  std::size_t sent = 0;
  for (int i = 0; i < count; ++i) {
    c.peer(segment);
    sent += c.take_sent().size();
  }
  return sent;
}

TEST(AnswerLimits, One_networks_resets_leave_all_others_theirs) {
  Conversation c;
  route_all(c);
  std::size_t here = 0, elsewhere = 0;
  for (unsigned n = 0; n < 2000; ++n) {
    Flow flow = stranger(0);
    flow.remote.port = Port{std::uint16_t(1000 + n)};
    c.on(flow).peer("S 0:0");
    here += c.take_sent().size();
  }
  for (unsigned n = 1; n <= 500; ++n) {
    c.on(stranger(n)).peer("S 0:0");
    elsewhere += c.take_sent().size();
  }
  EXPECT_EQ(here, 100u);
  EXPECT_EQ(elsewhere, 500u);
  EXPECT_EQ(c.count(Reason::reset_limit), 1900u);
}

TEST(AnswerLimits, A_FIN_that_comes_again_is_acknowledged_while_all_resets_are_spent) {
  Conversation c;
  route_all(c);
  bring_to(c, State::time_wait);
  c.user_close();
  for (unsigned n = 1; n <= 3000; ++n) c.on(stranger(n)).peer("S 0:0"), (void)c.take_sent();
  EXPECT_GT(c.count(Reason::reset_limit), 1000u);
  c.on(Conversation::peer_port).peer("F. 1:1 ack 2");
  c.expect(". 2:2 ack 2");
  // And while other answers from TIME-WAIT are spent.
  EXPECT_LE(drawn(c, ". 9:9 ack 2"), 1u);
  c.wait(150ms);
  c.peer("F. 1:1 ack 2");
  c.expect(". 2:2 ack 2");
}

TEST(AnswerLimits, SYN_SENT_answers_wrong_ACKs_once_in_500_ms) {
  Conversation c;
  bring_to(c, State::syn_sent);
  EXPECT_EQ(drawn(c, ". 5:5 ack 7"), 1u);
  EXPECT_EQ(drawn(c, "S. 0:0 ack 9"), 0u);
  EXPECT_EQ(c.count(Reason::reset_limit), 1999u);
  c.wait(500ms);
  EXPECT_EQ(drawn(c, ". 5:5 ack 7"), 1u);
}

TEST(AnswerLimits, A_half_open_record_answers_once_in_500_ms) {
  for (const char* wrong : {". 0:0 ack 1", "P. 0:1 ack 1", "R 9:9", ". 70000 ack 1"}) {
    Conversation c;
    c.user_listen();
    c.peer("S 0:0");
    c.expect("S. 0:0 ack 1");
    EXPECT_EQ(drawn(c, wrong), 1u) << wrong;
    c.wait(499ms);
    EXPECT_EQ(drawn(c, wrong), 0u) << wrong;
    c.wait(1ms);
    EXPECT_EQ(drawn(c, wrong), 1u) << wrong;
  }
}

TEST(AnswerLimits, TIME_WAIT_answers_once_in_500_ms_and_a_FIN_that_comes_again_once_in_100_ms) {
  for (const bool held : {true, false})
    for (const auto& [wrong, interval] : {std::pair{". 9:9 ack 2", 500ms},
                                          {"P. 1:2 ack 2", 500ms},
                                          {"S 1:1", 500ms},
                                          {"F. 2:2 ack 2", 500ms},
                                          {"F. 1:1 ack 2", 100ms}}) {
      Conversation c;
      bring_to(c, State::time_wait);
      if (!held) c.user_close();
      EXPECT_EQ(drawn(c, wrong), 1u) << wrong;
      c.wait(interval - 1ms);
      EXPECT_EQ(drawn(c, wrong), 0u) << wrong;
      c.wait(1ms);
      EXPECT_EQ(drawn(c, wrong), 1u) << wrong;
    }
}

TEST(AnswerLimits, SYNs_with_an_old_timestamp_draw_one_challenge_in_500_ms) {
  Conversation c{{.tcp = full()}};
  c.user_listen();
  c.peer("S 0:0 <mss 1460,sackOK,TS 1000 0,nop,wscale 7>");
  c.expect("S. 0:0 ack 1");
  c.peer(". 1:1 ack 1 <TS 1000 0>");
  c.user_accept();
  EXPECT_EQ(drawn(c, "S 0:0 <TS 1 0>"), 1u);
  EXPECT_EQ(drawn(c, "S 70000 <TS 999 0>"), 0u);
  c.wait(500ms);
  c.peer("S 1:1 <TS 1 0>");
  c.expect(". 1:1 ack 1", Reason::send_challenge_ack);
}

TEST(AnswerLimits, The_records_of_one_network_leave_the_others_their_ACKs) {
  Scene scene;
  scene.tcp.prefix_ack_rate = 50;
  scene.tcp.record_ack_rate = 200;
  Conversation c{scene};
  route_all(c);
  c.user_listen({.half_open_limit = 4096, .rules = {}, .options = {}});
  std::size_t here = 0, elsewhere = 0;
  const auto challenge = [&](const Flow& flow) {
    c.on(flow).peer("S 0:0");
    (void)c.take_sent();
    c.peer("R 9:9");
    return c.take_sent().size();
  };
  for (unsigned n = 0; n < 500; ++n) {
    Flow flow = stranger(0, 80);
    flow.remote.port = Port{std::uint16_t(1000 + n)};
    here += challenge(flow);
  }
  for (unsigned n = 1; n <= 100; ++n) elsewhere += challenge(stranger(n, 80));
  EXPECT_EQ(here, 50u);
  EXPECT_EQ(elsewhere, 100u);
}

TEST(AnswerLimits, One_networks_pings_leave_the_others_theirs) {
  Conversation c;
  route_all(c);
  const auto ping = [&](const Address& from) {
    std::vector<std::byte> echo(28 + 4);
    wire::emit_ip({.source = from,
                   .destination = *Address::parse("192.0.2.1"),
                   .protocol = wire::Protocol::icmp,
                   .header_length = 20,
                   .total_length = 32},
                  echo);
    echo[20] = std::byte{8};
    store_be(&echo[22], Checksum{}.add(Bytes{echo}.subspan(20)).value());
    c.peer_raw(echo);
    (void)c.take_sent();
  };
  for (int n = 0; n < 2000; ++n) ping(Address::v4(20, 0, 0, 1));
  EXPECT_EQ(c.count(Reason::send_echo_reply), 500u);
  for (std::uint8_t n = 1; n <= 200; ++n) ping(Address::v4(20, 0, n, 1));
  EXPECT_EQ(c.count(Reason::send_echo_reply), 700u);
}

}  // namespace
}  // namespace estab::script
