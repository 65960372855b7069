// SPDX-License-Identifier: Apache-2.0
// Ladders of one end: ours is told, the peer's is inferred.
#include "tests/observe/picture.hpp"

namespace estab::observe {
namespace {

using namespace test;
using enum State;

void open_actively(auto& a) {
  a.enter(0s, closed, syn_sent, Reason::user_active_open);
  a.sent(0s, with_options(by_a("S", 0, 0)), syn_sent, Reason::send_syn);
  a.enter(120us, syn_sent, established, Reason::syn_ack_arrived);
  a.received(120us, with_options(by_b("SA", 0, 1)), syn_sent, established);
  a.sent(125us, by_a("A", 1, 1), established, Reason::send_ack);
}

void close_first(auto& a) {
  a.enter(10000us, established, fin_wait_1, Reason::user_close);
  a.sent(10002us, by_a("FA", 101, 1), fin_wait_1, Reason::send_fin);
  a.enter(10100us, fin_wait_1, fin_wait_2, Reason::fin_acked);
  a.received(10100us, by_b("A", 1, 102), fin_wait_1, fin_wait_2);
  a.enter(20100us, fin_wait_2, time_wait, Reason::fin_arrived);
  a.received(20100us, by_b("FA", 1, 102), fin_wait_2, time_wait);
  a.sent(20101us, by_a("A", 102, 2), time_wait, Reason::send_ack);
  a.enter(60s + 20101us, time_wait, closed, Reason::time_wait_over);
}

TEST(Ladder, AConversationLooksAsInTheTextbook) {
  Picture picture{Witness::one_end, {}};
  auto a = picture.end(from_a);
  open_actively(a);
  a.sent(200us, by_a("PA", 1, 1, 100), established, Reason::send_text);
  a.received(300us, by_b("A", 1, 101), established, established);
  close_first(a);
  EXPECT_EQ(picture.text(), R"(
          States in brackets are inferred from what the other end sends.
           10.77.0.2:40000                                      10.77.0.1:7
                  CLOSED │                                      │
 0.000000       SYN-SENT │───────────── SYN seq=J ─────────────►│
                         │      mss=1460 sack ts wscale=7       │
 0.000120    ESTABLISHED │◄────── SYN,ACK seq=K, ack=J+1 ───────│ (SYN-RECEIVED)
                         │      mss=1460 sack ts wscale=7       │
 0.000125                │──────── ACK seq=J+1, ack=K+1 ───────►│ (ESTABLISHED)
 0.000200                │── PSH,ACK J+1:J+101(100), ack=K+1 ──►│
 0.000300                │◄────── ACK seq=K+1, ack=J+101 ───────│
 0.010002     FIN-WAIT-1 │───── FIN,ACK seq=J+101, ack=K+1 ────►│
 0.010100     FIN-WAIT-2 │◄────── ACK seq=K+1, ack=J+102 ───────│ (CLOSE-WAIT)
 0.020100      TIME-WAIT │◄──── FIN,ACK seq=K+1, ack=J+102 ─────│ (LAST-ACK)
 0.020101                │─────── ACK seq=J+102, ack=K+2 ──────►│ (CLOSED)
60.020101         CLOSED │            time wait over            │
)");
}

TEST(Ladder, WithoutUtf8ItIsAsciiAndWithReasonsItExplains) {
  Picture picture{
      Witness::one_end,
      {.utf8 = false, .explain = true, .names = {{end_a.address, "us"}, {end_b.address, "them"}}}};
  auto a = picture.end(from_a);
  a.enter(0s, closed, syn_sent, Reason::user_active_open);
  a.sent(0s, by_a("S", 0, 0), syn_sent, Reason::send_syn);
  a.sent(1s, by_a("S", 0, 0), syn_sent, Reason::retransmit_timeout);
  a.enter(1001ms, syn_sent, closed, Reason::refused);
  a.received(1001ms, by_b("RA", 0, 1), syn_sent, closed, Reason::refused);
  EXPECT_EQ(picture.text(), R"(
          States in brackets are inferred from what the other end sends.
        us 10.77.0.2:40000                                      them 10.77.0.1:7
                  CLOSED |                                      |
 0.000000       SYN-SENT |------------- SYN seq=J ------------->|
                         |   The program connects: a SYN goes   |
                         |    out. [RFC 9293 section 3.10.1]    |
                         |   Our SYN: it opens, and tells our   |
                         |   first sequence number. [RFC 9293   |
                         |             section 3.5]             |
 1.000000                |------------- SYN seq=J ------------->|
                         |   No ACK came within the RTO: sent   |
                         |    again. [RFC 6298 section 5.4]     |
 1.001000         CLOSED |<---- RST,ACK seq=5000, ack=J+1 ------| (CLOSED)
                         |   The peer refused the connection    |
                         |   with a reset. [RFC 9293 section    |
                         |              3.10.7.3]               |
)");
}

TEST(Ladder, ThePeerThatOpensStandsOnTheLeftUnlessAskedOtherwise) {
  const auto draw = [](bool opener_left) {
    Picture picture{Witness::one_end, {.opener_left = opener_left}};
    auto b = picture.end(from_b);
    b.enter(0s, listen, syn_received, Reason::syn_arrived);
    b.received(0s, by_a("S", 0, 0), listen, syn_received);
    b.sent(0s, by_b("SA", 0, 1), syn_received, Reason::send_syn_ack);
    b.enter(1ms, syn_received, established, Reason::handshake_done);
    b.received(1ms, by_a("A", 1, 1), syn_received, established);
    return picture.text();
  };
  EXPECT_EQ(draw(true), R"(
          States in brackets are inferred from what the other end sends.
           10.77.0.2:40000                                      10.77.0.1:7
                         │                                      │ LISTEN
 0.000000     (SYN-SENT) │───────────── SYN seq=J ─────────────►│ SYN-RECEIVED
 0.000000                │◄────── SYN,ACK seq=K, ack=J+1 ───────│
 0.001000  (ESTABLISHED) │──────── ACK seq=J+1, ack=K+1 ───────►│ ESTABLISHED
)");
  EXPECT_EQ(draw(false), R"(
          States in brackets are inferred from what the other end sends.
               10.77.0.1:7                                      10.77.0.2:40000
                  LISTEN │                                      │
 0.000000   SYN-RECEIVED │◄──────────── SYN seq=J ──────────────│ (SYN-SENT)
 0.000000                │─────── SYN,ACK seq=K, ack=J+1 ──────►│
 0.001000    ESTABLISHED │◄─────── ACK seq=J+1, ack=K+1 ────────│ (ESTABLISHED)
)");
}

TEST(Ladder, WhatIsDroppedOrSentAgainSaysWhy) {
  Picture picture{Witness::one_end, {}};
  auto a = picture.end(from_a);
  a.sent(0s, by_a("PA", 1, 1, 100), established, Reason::send_text);
  a.sent(200ms, by_a("PA", 1, 1, 100), established, Reason::retransmit_timeout);
  a.dropped(201ms, by_b("R", 9000, 0), established, Reason::rst_out_of_window);
  a.dropped(202ms, by_b("A", 1, 101), established, Reason::fault_lost);
  EXPECT_EQ(picture.text(), R"(
          States in brackets are inferred from what the other end sends.
           10.77.0.2:40000                                      10.77.0.1:7
             ESTABLISHED │                                      │
 0.000000                │── PSH,ACK J+1:J+101(100), ack=K+1 ──►│
 0.200000                │── PSH,ACK J+1:J+101(100), ack=K+1 ──►│
                         │          retransmit timeout          │
 0.201000                │×────────── RST seq=K+9000 ───────────│
                         │      dropped: rst out of window      │
 0.202000                │   ×─── ACK seq=K+1, ack=J+101 ───────│
                         │                 lost                 │
)");
}

TEST(Ladder, APacketThatNobodyCanReadIsALineOfItsOwn) {
  Picture picture{Witness::one_end, {}};
  const std::array<std::byte, 4> noise{};
  picture.ladder().event(
      {.kind = EventKind::dropped, .reason = Reason::ip_version, .length = 4, .kept = 4}, noise);
  EXPECT_EQ(picture.text(), "\n 0.000000 dropped: ip version\n");
}

TEST(Ladder, TwoStatesInOnePacketTakeTwoLines) {
  Picture picture{Witness::one_end, {}};
  auto a = picture.end(from_a);
  a.sent(0s, by_a("FA", 1, 1), fin_wait_1, Reason::send_fin);
  a.received(1ms, by_b("FA", 1, 2), fin_wait_1, time_wait);
  a.enter(1ms, fin_wait_1, fin_wait_2, Reason::fin_acked);
  a.enter(1ms, fin_wait_2, time_wait, Reason::fin_arrived);
  EXPECT_EQ(picture.text(), R"(
          States in brackets are inferred from what the other end sends.
           10.77.0.2:40000                                      10.77.0.1:7
              FIN-WAIT-1 │                                      │
 0.000000                │────── FIN,ACK seq=J+1, ack=K+1 ─────►│
 0.001000     FIN-WAIT-2 │◄───── FIN,ACK seq=K+1, ack=J+2 ──────│ (LAST-ACK)
               TIME-WAIT │                                      │
)");
}

TEST(Ladder, SeveralFlowsAreNumbered) {
  Picture picture{Witness::one_end, {}};
  auto a = picture.end(from_a);
  const Endpoint other{Address::v4(10, 77, 0, 2), Port{40001}};
  auto second = picture.end({other, end_b});
  auto syn = by_a("S", 0, 0);
  a.enter(0s, closed, syn_sent, Reason::user_active_open);
  a.sent(0s, syn, syn_sent, Reason::send_syn);
  syn.tcp.source = other.port;
  second.enter(1ms, closed, syn_sent, Reason::user_active_open);
  second.sent(1ms, syn, syn_sent, Reason::send_syn);
  a.enter(2ms, syn_sent, established, Reason::syn_ack_arrived);
  a.received(2ms, by_b("SA", 0, 1), syn_sent, established);
  EXPECT_EQ(picture.text(), R"(
          States in brackets are inferred from what the other end sends.
           10.77.0.2:40000                                      10.77.0.1:7
                  CLOSED │                                      │
 0.000000       SYN-SENT │───────────── SYN seq=J ─────────────►│
#2              10.77.0.2:40001                                 10.77.0.1:7
#2                     CLOSED │                                 │
#2    0.001000       SYN-SENT │─────────── SYN seq=J ──────────►│
#1    0.002000    ESTABLISHED │◄─── SYN,ACK seq=K, ack=J+1 ─────│ (SYN-RECEIVED)
)");
}

TEST(Ladder, NoLineIsWiderThanItsTerminalAndColourAddsNoColumn) {
  for (const unsigned columns : {64u, 80u, 120u}) {
    Picture picture{Witness::one_end, {.width = columns, .explain = true}};
    Picture coloured{Witness::one_end, {.width = columns, .colour = true, .explain = true}};
    for (auto* p : {&picture, &coloured}) {
      auto a = p->end(from_a);
      open_actively(a);
      auto text = by_a("PUA", 4'000'000'001, 4'000'000'001, 1448);
      text.tcp.urgent = 1448;
      text.tcp.window = 0;
      text.tcp.options.sack_count = 2;
      text.tcp.options.sack = {{{Seq(9000), Seq(9100)}, {Seq(9200), Seq(9300)}}};
      a.sent(12345s, text, established, Reason::retransmit_sack);
      close_first(a);
    }
    const auto plain = picture.text();
    auto stripped = coloured.text();
    EXPECT_NE(stripped, plain);
    for (std::size_t at; (at = stripped.find("\x1b[")) != std::string::npos;)
      stripped.erase(at, stripped.find('m', at) + 1 - at);
    EXPECT_EQ(stripped, plain);
    for (const auto& line : picture.lines()) EXPECT_LE(width(line), columns) << line;
  }
}

}  // namespace
}  // namespace estab::observe
