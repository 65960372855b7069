// SPDX-License-Identifier: Apache-2.0
// What somebody who knows the four numbers of a connection, and guesses the rest, can change:
// nothing. RFC 9293 §3.10.7.4, RFC 5961, RFC 7323 §4.3 and §5.3, RFC 2883 §4.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <random>

#include "scenes.hpp"

namespace estab::script {
namespace {

constexpr auto full_options = "win 65535 <mss 1460,sackOK,TS 1000 0,nop,wscale 7>";

Scene full_scene() {
  Scene scene;
  scene.tcp = full();
  return scene;
}

// A passive open; where the peer has timestamps, its clock shows 1000.
void open(Conversation& c, std::string_view options = full_options) {
  c.user_listen();
  c.peer(fmt::format("S 0:0 {}", options));
  c.take_sent();
  c.peer(options.find("TS") != std::string_view::npos ? ". 1:1 ack 1 <nop,nop,TS 1000 0>"
                                                      : ". 1:1 ack 1");
  c.user_accept();
  c.state(State::established);
}

constexpr std::array all_states{State::syn_received, State::established, State::fin_wait_1,
                                State::fin_wait_2,   State::close_wait,  State::closing,
                                State::last_ack,     State::time_wait};

// As bring_to(), with the options of `options`; TS.Recent is 1000 where they have timestamps. The
// program keeps its handle, so that TIME-WAIT is a connection too.
Place bring_with(Conversation& c, State state, std::string_view options = full_options) {
  if (state == State::syn_received) {
    c.user_connect();
    c.take_sent();
    c.peer(fmt::format("S 0:0 {}", options));
    c.take_sent();
    return {1, 1};
  }
  Place place;
  open(c, options);
  const auto fin = [&](std::uint32_t ack) {
    c.peer(segment("F.", 1, ack));
    c.run(200ms);
    c.take_sent();
    place.rcv_nxt = 2;
  };
  if (state == State::close_wait || state == State::last_ack) fin(1);
  if (state != State::established && state != State::close_wait) {
    c.user_shutdown();
    c.take_sent();
    place.snd_nxt = 2;
  }
  if (state == State::closing) fin(1);
  if (state == State::fin_wait_2 || state == State::time_wait) c.peer(segment(".", 1, 2));
  if (state == State::time_wait) fin(2);
  c.take_sent();
  c.state(state);
  return place;
}

// The peer's next segment, with text where the state takes some, at a clock that has gone on by a
// tick: it is taken, and what follows from it is as if nobody had interfered.
void honest_segment_is_taken(Conversation& c, State state, Place place) {
  c.run(1s);
  c.take_sent();
  const bool reads =
      StateSet{State::syn_received | State::established | State::fin_wait_1 | State::fin_wait_2}
          .contains(state);
  const auto paws = c.count(Reason::paws);
  c.peer(fmt::format("{} {}:{} ack {} <nop,nop,TS 1001 0>", reads ? "P." : ".", place.rcv_nxt,
                     place.rcv_nxt + (reads ? 100 : 0), place.snd_nxt));
  EXPECT_EQ(c.count(Reason::paws), paws) << name(state) << c.transcript();
  if (reads) {
    c.run(200ms);
    for (const auto& sent : c.take_sent())
      for (const auto& option : sent.options)
        EXPECT_TRUE(!option.starts_with("TS") || option.ends_with(" 1001")) << option;
  }
  if (reads) c.user_receive(100);
  if (state == State::syn_received) c.state(State::established);
  if (state == State::closing) c.state(State::time_wait);
  c.take_sent();
}

// Shapes of a segment that fails a check; {0} RCV.NXT, {1} SND.NXT, {2} a timestamp far ahead.
constexpr std::array forgeries{
    "P. {0}:+100 ack {1}+900000 <nop,nop,TS {2} 0>",
    "P. {0}:+100 ack {1}-1000000000 <nop,nop,TS {2} 0>",
    "P. {0}:+100 ack {1}-100000 <nop,nop,TS {2} 0>",
    "P {0}:+100 <nop,nop,TS {2} 0>",
    "- {0}:+0 <nop,nop,TS {2} 0>",
    "S {0}:+0 <nop,nop,TS {2} 0>",
    "S. {0}:+0 ack {1} <nop,nop,TS {2} 0>",
    "S {0}+5:+10 <nop,nop,TS {2} 0>",
    "P. {0}-1400:+1410 ack {1}+900000 <nop,nop,TS {2} 0>",
    "F. {0}:+0 ack {1}+900000 <nop,nop,TS {2} 0>",
    "FU {0}:+0 <nop,nop,TS {2} 0>",
    "FU. {0}:+10 ack {1}+7 urg 5 <nop,nop,TS {2} 0>",
    "FSPU {0}:+10 urg 5 <nop,nop,TS {2} 0>",
    "R {0}+1:+0 <nop,nop,TS {2} 0>",
    "R. {0}+1:+20 ack {1} <nop,nop,TS {2} 0>",
    "P. {0}+100000000:+100 ack {1} <nop,nop,TS {2} 0>",
    ". {0}:+0 ack {1}+1 <nop,nop,TS {2} 0,nop,nop,sack 1:100>",
};

std::string number(std::string_view word, Place place) {  // "{0}+5" with the place's numbers.
  std::int64_t sum = 0;
  std::size_t at = word.find('}');
  sum = word.starts_with("{0}") ? place.rcv_nxt : place.snd_nxt;
  if (at + 1 < word.size()) sum += std::stoll(std::string(word.substr(at + 1)));
  return std::to_string(sum);
}

std::string forge(std::string_view shape, Place place, std::uint32_t clock) {
  std::string out;
  for (std::size_t at = 0; at < shape.size();) {
    if (shape.substr(at).starts_with("{2}")) {
      out += std::to_string(clock), at += 3;
    } else if (shape[at] == '{') {
      const auto end = std::min(shape.find_first_of(" :", at), shape.size());
      const auto first = number(shape.substr(at, end - at), place);
      out += first, at = end;
      if (at < shape.size() && shape[at] == ':') {  // ":+N": so many octets.
        const auto stop = shape.find(' ', at);
        out += ":" + std::to_string(std::stoll(first) +
                                    std::stoll(std::string(shape.substr(at + 2, stop - at - 2))));
        at = stop;
      }
    } else {
      out += shape[at++];
    }
  }
  return out;
}

TEST(Blind, A_segment_that_fails_a_check_leaves_TS_Recent_as_it_was_in_every_state) {
  for (const auto state : all_states)
    for (const std::uint32_t ahead : {1u << 20, 0x7fffffffu})
      for (const std::string_view shape : forgeries) {
        // RFC 6191: there a SYN may open anew.
        if (state == State::time_wait && shape.starts_with("S ")) continue;
        Conversation c{full_scene()};
        const auto place = bring_with(c, state);
        c.peer(forge(shape, place, 1000 + ahead));
        c.take_sent();
        c.state(state);
        honest_segment_is_taken(c, state, place);
        if (c.failed() || ::testing::Test::HasFailure()) FAIL() << name(state) << ' ' << shape;
      }
}

TEST(Blind, An_ACK_below_SND_UNA_is_taken_and_leaves_TS_Recent_as_it_was) {
  Conversation c{full_scene()};
  open(c);
  c.user_send(1000);
  c.take_sent();
  c.peer(". 1:1 ack 1001 <nop,nop,TS 1001 0>");
  c.peer("P. 1:101 ack 501 <nop,nop,TS 900000 0>");
  c.expect_soon(". 1001:1001 ack 101 <nop,nop,TS . 1001>");
  c.user_receive(100);
}

TEST(Blind, With_the_window_shut_an_ACK_at_RCV_NXT_sets_TS_Recent_and_a_forged_one_does_not) {
  auto scene = full_scene();
  scene.tcp.defaults.receive_buffer = 4000;
  Conversation c{scene};
  open(c);
  std::uint32_t next = 1;
  for (int i = 0; i < 40 && c.status().receive_window > 0; ++i) {
    const auto text = std::min(1000u, c.status().receive_window);
    c.peer(fmt::format(". {}:{} ack 1 <nop,nop,TS 1001 0>", next, next + text));
    next += text;
    c.run(200ms);
    c.take_sent();
  }
  ASSERT_EQ(c.status().receive_window, 0u);
  c.peer(fmt::format(". {0}:{1} ack 70000 <nop,nop,TS 5000 0>", next, next + 1));
  c.take_sent();
  c.peer(fmt::format(". {0}:{0} ack 1 <nop,nop,TS 1002 0>", next));
  c.user_send(10);
  c.expect("P. 1:11 <nop,nop,TS . 1002>");
}

// All that status() shows, but the clock.
std::string picture(const ConnectionInfo& info) {
  return fmt::format("{} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {}", int(info.state),
                     info.receive_queue, info.send_queue, info.flight, info.cwnd, info.ssthresh,
                     info.send_window, info.receive_window, info.send_mss, info.retransmissions,
                     info.srtt.count(), info.rto.count(), info.octets_sent, info.octets_received,
                     info.octets_retransmitted, info.memory, info.orphan);
}

TEST(Blind, Thousands_of_random_segments_change_nothing_that_status_shows_in_any_state) {
  for (const auto* options : {full_options, "win 65535 <mss 1460>"})
    for (const auto state : all_states) {
      Conversation c{full_scene()};
      const auto place = bring_with(c, state, options);
      std::mt19937 random(std::uint32_t(state) + 1);
      c.peer(segment("R", place.rcv_nxt + 5));  // Any ACK of ours may open the window.
      c.take_sent();
      const auto seen = picture(c.status());
      std::size_t answers = 0;
      for (int i = 0; i < 3000; ++i) {
        std::string flags = "-";
        const auto bits = random() & 0x3f;
        for (unsigned bit = 0; bit < 6; ++bit)
          if (bits >> bit & 1) flags += "FSRP.U"[bit];
        auto seq = std::int64_t{place.rcv_nxt} + std::int64_t(random() % 140001) - 70000;
        // A RST at RCV.NXT must be taken (RFC 5961 §3.2), and with the number of the FIN is.
        if ((bits & 4) && (seq == place.rcv_nxt || seq == place.rcv_nxt - 1)) seq += 2;
        // An ACK that the fifth check refuses: of what was never sent, or long ago.
        const auto off = std::int64_t(random() % 0x7ff00000) + 2;
        const auto ack = std::int64_t{place.snd_nxt} + (random() % 2 ? off : -off);
        const auto text = std::int64_t(random() % 3 == 0 ? 0 : random() % 1400);
        std::string spec = fmt::format("{} {}:{}", flags, seq, seq + text);
        if (bits & 16) spec += fmt::format(" ack {}", std::int32_t(std::uint32_t(ack)));
        if (bits & 32) spec += fmt::format(" urg {}", random() % 2000);
        std::string list = fmt::format("nop,nop,TS {} {}", random(), random() % 1000);
        if (random() % 2)
          list += fmt::format(",nop,nop,sack {}:{}", random() % 70000, random() % 70000);
        if (random() % 4) spec += " <" + list + ">";
        if (state == State::syn_received && (bits & 0x12) == 0x10) continue;  // Draws resets.
        if (state == State::time_wait && (bits & 0x16) == 2) continue;        // RFC 6191.
        c.peer(spec);
        answers += c.take_sent().size();
        if (picture(c.status()) != seen) FAIL() << name(state) << ' ' << spec << c.transcript();
      }
      EXPECT_LE(answers, 40u);  // In no time: the burst, and one challenge.
      c.user_receive_error(state == State::established || state == State::syn_received ||
                                   state == State::fin_wait_1 || state == State::fin_wait_2
                               ? Error::would_block
                               : Error::none);
      honest_segment_is_taken(c, state, place);
    }
}

TEST(Blind, A_SYN_with_an_old_timestamp_draws_one_challenge_not_a_burst_of_ACKs) {
  Conversation c{full_scene()};
  open(c);
  std::size_t answers = 0;
  for (int i = 0; i < 100; ++i) {
    c.peer(fmt::format("S {0}:{0} <TS 5 0>", i * 1000));
    answers += c.take_sent().size();
  }
  EXPECT_EQ(answers, 1u);
  EXPECT_EQ(c.count(Reason::syn_challenged), 100u);
}

TEST(Blind, No_SYN_no_RST_and_nothing_that_PAWS_or_the_ACK_check_refuses_makes_a_DSACK_owed) {
  Conversation c{full_scene()};
  open(c);
  c.peer("P. 1:1001 ack 1 <nop,nop,TS 1001 0>");
  c.expect_soon(". 1:1 ack 1001 <nop,nop,TS . 1001>");
  const std::array refused{"S -99:-89 <nop,nop,TS 1002 0>",
                           "S 401:411 <nop,nop,TS 1002 0>",
                           "S. 401:411 ack 1 <nop,nop,TS 1002 0>",
                           "R 401:501 <nop,nop,TS 1002 0>",
                           "R. 401:501 ack 1 <nop,nop,TS 1002 0>",
                           "P 1:101 <nop,nop,TS 1002 0>",
                           "P. 1:101 ack 2 <nop,nop,TS 1002 0>",
                           "P. 1:101 ack -500000 <nop,nop,TS 1002 0>",
                           "P. 1:101 ack 1 <nop,nop,TS 999 0>",
                           "P. 501:1101 ack 2 <nop,nop,TS 1002 0>",
                           "P. -2000:-1000 ack 1 <nop,nop,TS 1002 0>",  // Never received.
                           "P. -2000000000:-1999999000 ack 1 <nop,nop,TS 1002 0>"};
  for (const auto* spec : refused) {
    c.run(600ms);
    c.take_sent();
    c.peer(spec);
    for (const auto& sent : c.take_sent())
      for (const auto& option : sent.options) EXPECT_FALSE(option.starts_with("sack")) << spec;
  }
  c.user_send(10);
  c.expect("P. 1:11 ack 1001 <nop,nop,TS . 1001>");  // Nor is one owed.
}

TEST(Blind, PAWS_after_an_idle_time_of_any_length_takes_every_clock) {
  for (const auto days : {23, 25, 49, 50, 60, 75, 99, 100, 150}) {
    Conversation c{full_scene()};
    open(c);
    c.wait(24h * days);
    c.peer("P. 1:101 ack 1 <nop,nop,TS 500 0>");  // Behind TS.Recent.
    c.expect_soon(
        fmt::format(". 1:1 ack {} <nop,nop,TS . {}>", days > 24 ? 101 : 1, days > 24 ? 500 : 1000));
  }
}

TEST(Blind, PAWS_with_traffic_every_day_goes_on_to_drop_old_segments_after_50_and_100_days) {
  Conversation c{full_scene()};
  open(c);
  std::uint32_t clock = 1000, next = 1;
  for (int day = 1; day <= 110; ++day) {
    c.run(24h);
    clock += 86'400'000;
    c.peer(fmt::format("P. {}:{} ack 1 <nop,nop,TS {} 0>", next, next + 10, clock));
    next += 10;
    c.run(200ms);
    c.take_sent();
    c.peer(fmt::format("P. {}:{} ack 1 <nop,nop,TS {} 0>", next, next + 10, clock - 1));
    c.expect(fmt::format(". 1:1 ack {} <nop,nop,TS . {}>", next, clock));
  }
  EXPECT_EQ(c.count(Reason::paws), 110u);
}

TEST(Blind, A_peer_that_says_0_on_its_SYN_and_a_true_clock_afterwards_is_understood) {
  Conversation c{full_scene()};
  c.user_listen();
  c.peer("S 0:0 <mss 1460,sackOK,TS 0 0,nop,wscale 7>");
  c.take_sent();
  c.peer(". 1:1 ack 1 <nop,nop,TS 0 0>");
  c.user_accept();
  c.peer("P. 1:101 ack 1 <nop,nop,TS 3000000000 0>");
  c.expect_soon(". 1:1 ack 101 <nop,nop,TS . 3000000000>");
}

TEST(Blind, Limits_on_answers_do_not_come_back_after_49_days) {
  Conversation c;
  c.open_passive();
  c.peer("R 5:5");
  c.expect(". 1:1 ack 1", Reason::send_challenge_ack);
  for (int i = 0; i < 100; ++i) c.peer("P. -100:0 ack 1"), c.take_sent();
  c.wait(Milliseconds{0xffffffff} + 101ms);  // A clock of 32 bits has come round.
  c.peer("R 5:5");
  c.expect(". 1:1 ack 1", Reason::send_challenge_ack);
  std::size_t answers = 0;
  for (int i = 0; i < 16; ++i) c.peer("P. -100:0 ack 1"), answers += c.take_sent().size();
  EXPECT_EQ(answers, 16u);
}

}  // namespace
}  // namespace estab::script
