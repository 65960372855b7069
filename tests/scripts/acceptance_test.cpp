// SPDX-License-Identifier: Apache-2.0
// What is taken and what is not: RFC 9293 §3.10.7.4, first, fifth and seventh; RFC 5961 §5.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <numeric>

#include "scenes.hpp"

namespace estab::script {
namespace {

TEST(Acceptance, The_four_cases_of_the_table_decide_by_sequence_number_length_and_window) {
  struct Case {
    std::int64_t begin, length;  // Begin: from RCV.NXT, or from the window's edge.
    bool from_edge, acceptable;
  };
  constexpr Case cases[] = {{0, 0, false, true}, {-1, 0, true, true},   {-1, 0, false, false},
                            {0, 0, true, true},  {-2, 2, false, false}, {0, 9, true, false},
                            {1, 0, true, false}, {-1, 6, true, true},   {-2, 3, false, true}};
  for (const auto& [begin, length, from_edge, acceptable] : cases) {
    Conversation c;
    c.open_passive();
    const auto at = begin + (from_edge ? 1 + c.status().receive_window : 1);
    c.peer(fmt::format(". {}:{} ack 1", at, at + length));
    EXPECT_EQ(c.count(Reason::out_of_window) + c.count(Reason::duplicate_text) == 0, acceptable)
        << at << ':' << length;
    if (!acceptable) c.expect(". 1:1 ack 1");
    c.run(200ms);
    c.take_sent();
  }
}

TEST(Acceptance, Text_that_begins_before_the_window_is_trimmed_not_refused) {
  Conversation c;
  c.open_passive();
  c.peer("P. 1:101 ack 1");
  c.expect_soon(". 1:1 ack 101");
  c.peer("P. 51:151 ack 1");
  c.expect_soon(". 1:1 ack 151");
  c.user_receive(150);
}

TEST(Acceptance, Text_that_goes_past_the_window_is_trimmed_and_its_FIN_with_it) {
  Scene scene;
  scene.tcp.defaults.receive_buffer = 4000;
  Conversation c{scene};
  c.open_passive();
  const auto window = c.status().receive_window;
  c.peer(fmt::format("FP. 1:{} ack 1", 1 + window + 500));
  c.expect_soon(fmt::format(". 1:1 ack {}", 1 + window));
  c.state(State::established);
  c.user_receive(window);
  c.take_sent();
}

TEST(Acceptance, X_5_an_ACK_of_what_was_not_sent_is_answered_and_its_text_is_dropped) {
  Conversation c;
  c.open_passive();
  c.peer("P. 1:101 ack 2");
  c.expect(". 1:1 ack 1");
  EXPECT_EQ(c.count(Reason::ack_not_sent), 1u);
  c.user_receive_error(Error::would_block);
  c.state(State::established);
}

TEST(Acceptance, X_5_an_ACK_older_than_the_largest_window_is_answered_and_its_text_is_dropped) {
  Conversation c;
  c.open_passive("win 1000 <mss 1460>");
  std::uint32_t next = 1;
  for (int i = 0; i < 5; ++i, next += 1000) {
    c.user_send(1000);
    c.expect(fmt::format("P. {}:{} ack 1", next, next + 1000));
    c.peer(fmt::format(". 1:1 ack {} win 1000", next + 1000));
  }
  c.peer(fmt::format("P. 1:101 ack {} win 1000", next - 1001));
  c.expect(fmt::format(". {0}:{0} ack 1", next));
  EXPECT_EQ(c.count(Reason::ack_too_old), 1u);
  c.user_receive_error(Error::would_block);
  c.peer(fmt::format("P. 1:101 ack {} win 1000", next - 1000));  // Just old enough.
  c.expect_soon(fmt::format(". {0}:{0} ack 101", next));
  c.user_receive(100);
}

TEST(Acceptance, MAY_12_threats_6_ghost_ACKs_deliver_nothing_on_a_fresh_connection) {
  Conversation c;
  c.open_passive();
  std::vector<std::uint32_t> offsets(2000);
  std::iota(offsets.begin(), offsets.end(), 2u);
  for (std::uint32_t bit = 12; bit < 32; ++bit) offsets.push_back(1u << bit);
  for (const auto offset : offsets) {
    c.peer(fmt::format("P. 1:101 ack {}", std::int32_t(1 - offset)));
    c.take_sent();
  }
  c.user_receive_error(Error::would_block);
  c.state(State::established);
}

TEST(Acceptance, Threats_26_a_thousand_optimistic_ACKs_draw_few_answers_and_raise_no_window) {
  Conversation c;
  c.open_passive();
  const auto cwnd = c.status().cwnd;
  std::size_t answers = 0;
  for (std::uint32_t i = 0; i < 1000; ++i) {
    c.peer(fmt::format(". 1:1 ack {}", 2 + i * 1460));
    answers += c.take_sent().size();
  }
  EXPECT_LE(answers, 1u);
  EXPECT_EQ(c.status().cwnd, cwnd);
  c.user_send(100);
  c.expect("P. 1:101 ack 1");
}

TEST(Acceptance, Threats_33_a_thousand_old_segments_draw_at_most_32_ACKs) {
  Conversation c;
  c.open_passive();
  std::size_t answers = 0;
  for (int i = 0; i < 1000; ++i) {
    c.peer("P. -100:0 ack 1");
    answers += c.take_sent().size();
  }
  EXPECT_GE(answers, 1u);
  EXPECT_LE(answers, 32u);
  EXPECT_GE(c.count(Reason::ack_limit), 1000u - 32);
}

TEST(Acceptance, Threats_33_two_ends_that_disagree_send_at_most_ten_packets_a_second) {
  Conversation c;
  c.open_passive();
  c.run(1s);
  // The peer answers each ACK with one that is for something never sent: an ACK storm.
  std::size_t packets = 0;
  c.peer(". 1:1 ack 70000");
  for (int i = 0; i < 1000; ++i) {
    const auto answers = c.take_sent().size();
    packets += answers;
    for (std::size_t k = 0; k < answers; ++k) c.peer(". 1:1 ack 70000");
    c.run(10ms);
  }
  EXPECT_LE(packets, 100u);  // In ten seconds.
}

TEST(Acceptance, X_8_an_older_segment_does_not_change_the_send_window) {
  Conversation c;
  c.open_passive("win 10000");
  c.peer("P. 101:201 ack 1 win 5000");
  c.take_sent();
  EXPECT_EQ(c.status().send_window, 5000u);  // SND.WL1 < SEG.SEQ.
  c.peer("P. 1:101 ack 1 win 10");
  c.run(200ms);
  c.take_sent();
  EXPECT_EQ(c.status().send_window, 5000u);
}

TEST(Acceptance, X_8_of_segments_with_one_sequence_number_the_older_ACK_changes_nothing) {
  Conversation c;
  c.open_passive("win 10000");
  c.user_send(100);
  c.expect("P. 1:101 ack 1");
  c.peer(". 1:1 ack 101 win 5000");
  EXPECT_EQ(c.status().send_window, 5000u);
  c.peer(". 1:1 ack 1 win 9");
  EXPECT_EQ(c.status().send_window, 5000u);
  c.peer(". 1:1 ack 101 win 7000");  // SND.WL1 = SEG.SEQ and SND.WL2 =< SEG.ACK.
  EXPECT_EQ(c.status().send_window, 7000u);
}

TEST(Acceptance, A_segment_without_ACK_is_dropped) {
  Conversation c;
  c.open_passive();
  c.peer("P 1:101");
  c.peer("- 1:101");
  c.peer("F 1:1");
  c.user_receive_error(Error::would_block);
  c.state(State::established);
  EXPECT_EQ(c.count(Reason::no_ack), 3u);
}

TEST(Acceptance, MUST_66_with_the_window_shut_ACKs_are_taken) {
  Scene scene;
  scene.tcp.defaults.receive_buffer = 4000;
  Conversation c{scene};
  c.open_passive();
  c.user_send(100);
  c.expect("P. 1:101 ack 1");
  std::uint32_t next = 1;
  for (int i = 0; i < 40 && c.status().receive_window > 0; ++i) {
    const auto text = std::min(1000u, c.status().receive_window);
    c.peer_batch({fmt::format(". {}:{} ack 1", next, next + text)});
    next += text;
    c.take_sent();
  }
  ASSERT_EQ(c.status().receive_window, 0u);
  c.peer(fmt::format(". {}:{} ack 101", next, next + 1));  // A probe with an octet, and an ACK.
  c.expect_soon(fmt::format(". 101:101 ack {} win 0", next));
  EXPECT_EQ(c.status().flight, 0u);
}

TEST(Acceptance, MUST_3_a_segment_with_a_wrong_checksum_is_dropped_and_changes_nothing) {
  Conversation c;
  c.open_passive();
  for (std::size_t bit = 0; bit < 8; ++bit) {
    auto datagram = c.build("P. 1:101 ack 1");
    datagram[40 + bit * 9] ^= std::byte(1u << bit);
    c.peer_raw(std::move(datagram));
  }
  EXPECT_EQ(c.count(Reason::tcp_checksum), 8u);
  c.user_receive_error(Error::would_block);
}

TEST(Acceptance, MUST_5_MUST_6_unknown_options_in_any_segment_do_no_harm) {
  Conversation c;
  c.user_listen();
  c.peer("S 0:0 <kind 254 4 1 2,mss 1000,kind 30 2>");
  c.expect("S. 0:0 ack 1 <mss 1460>");
  c.peer(". 1:1 ack 1 <kind 77 6 1 2 3 4>");
  c.user_accept();
  c.peer("P. 1:101 ack 1 <mss 9,kind 253 2>");
  c.expect_soon(". 1:1 ack 101 <>");
  EXPECT_EQ(c.status().send_mss, 1000);
}

TEST(Acceptance, MUST_7_a_segment_with_an_illegal_option_length_is_counted_and_changes_nothing) {
  Conversation c;
  c.user_listen();
  c.peer("S 0:0 <mss 1000,kind 253 0>");
  c.peer("S 0:0 <mss 1000,kind 2 3>");
  c.expect_nothing();
  c.peer("S 0:0 <mss 1000>");
  c.expect("S. 0:0 ack 1 <mss 1460>");
  c.peer(". 1:1 ack 1");
  c.user_accept();
  c.peer("P. 1:101 ack 1 <nop,nop,kind 253 99>");
  c.peer("F. 1:1 ack 1 <kind 8 4>");
  EXPECT_EQ(c.count(Reason::tcp_option_length), 4u);
  c.user_receive_error(Error::would_block);
  c.peer("P. 1:101 ack 1");
  c.expect_soon(". 1:1 ack 101 <>");
}

TEST(Acceptance, Threats_32_no_mixture_of_flags_makes_a_listener_answer_but_SYN_and_ACK) {
  for (int flags = 0; flags < 256; ++flags) {
    Conversation c;
    c.user_listen();
    std::string letters = "-";
    for (int bit = 0; bit < 8; ++bit)
      if (flags >> bit & 1) letters += "FSRP.UEW"[bit];
    c.peer(letters + " 5:5 ack 9");
    const auto sent = c.take_sent();
    const bool rst = flags & 4, ack = flags & 16, syn = flags & 2, fin = flags & 1;
    if (rst) EXPECT_TRUE(sent.empty()) << letters;
    else if (ack) EXPECT_TRUE(sent.size() == 1 && sent[0].flags == 4) << letters;
    else if (syn && !fin)
      EXPECT_TRUE(sent.size() == 1 && (sent[0].flags & 0x12) == 0x12) << letters;
    else EXPECT_TRUE(sent.empty()) << letters;
  }
}

}  // namespace
}  // namespace estab::script
