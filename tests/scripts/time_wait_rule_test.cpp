// SPDX-License-Identifier: Apache-2.0
// TIME-WAIT and the way there: one rule for the record and for the connection whose handle the
// program holds (RFC 9293 §3.10.7.4), and which SYNs open anew (RFC 6191 §2).
#include <gtest/gtest.h>

#include <fmt/format.h>

#include "scenes.hpp"

namespace estab::script {
namespace {

Scene stamped(bool timestamps) {
  Scene scene;
  scene.tcp.timestamps = timestamps;
  return scene;
}

// The peer's clock shows 1000, its next number is 2; so is ours.
void time_wait(Conversation& c, bool held, bool timestamps) {
  const char* stamp = timestamps ? " <nop,nop,TS 1000 0>" : "";
  c.user_listen();
  c.peer(timestamps ? "S 0:0 <mss 1460,nop,nop,TS 1000 0>" : "S 0:0 <mss 1460>");
  c.expect("S. 0:0 ack 1");
  c.peer(fmt::format(". 1:1 ack 1{}", stamp));
  c.user_accept();
  c.user_shutdown();
  c.expect("F. 1:1 ack 1");
  c.peer(fmt::format("F. 1:1 ack 2{}", stamp));
  c.expect_soon(". 2:2 ack 2");
  if (!held) c.user_close();
  c.state(State::time_wait);
}

// What a segment draws, and the state after it.
std::string outcome(bool held, const std::string& segment, bool rst_ends, bool timestamps) {
  auto scene = stamped(timestamps);
  scene.tcp.rst_ends_time_wait = rst_ends;
  Conversation c{scene};
  time_wait(c, held, timestamps);
  c.wait(20s);
  c.peer(segment);
  std::string said;
  for (const auto& sent : c.take_sent()) said += spell(sent) + "; ";
  said += name(c.state_of_line());
  c.run(41s);  // Whether the wait began anew.
  for (const auto& sent : c.take_sent()) said += " later " + spell(sent);
  return said + ", then " + std::string(name(c.state_of_line()));
}

TEST(TimeWaitRule, It_answers_alike_whether_the_program_holds_the_handle_or_not) {
  for (const bool timestamps : {false, true})
    for (const bool rst_ends : {false, true})
      for (const char* flags : {".", "F.", "F", "P.", "FP.", "R", "R.", "S", "S.", "SF"})
        for (const auto* range :
             {"-70000", "1:1", "2:2", "3:3", "1:2", "2:12", "0:1", "0:2", "90000"})
          for (const auto* ack : {" ack 2", " ack 1", " ack 3"})
            for (const auto* stamp :
                 {"", " <nop,nop,TS 999 0>", " <nop,nop,TS 1000 0>", " <nop,nop,TS 1001 0>"}) {
              const std::string segment = std::string(flags) + ' ' + range + ack + stamp;
              ASSERT_EQ(outcome(true, segment, rst_ends, timestamps),
                        outcome(false, segment, rst_ends, timestamps))
                  << segment;
            }
}

TEST(TimeWaitRule, A_held_one_acknowledges_a_FIN_at_RCV_NXT_and_an_ACK_behind_it) {
  for (const char* segment : {"F. 2:2 ack 2", ". 3:3 ack 2", "P. 2:12 ack 2"}) {
    Conversation c;
    time_wait(c, true, false);
    c.peer(segment);
    c.expect(". 2:2 ack 2");
  }
}

TEST(TimeWaitRule, Only_an_acceptable_ACK_of_our_FIN_tells_the_peers_time) {
  for (const char* forged : {". 1:1 ack 2", ". -1000 ack 2", ". 2:2 ack 1", ". 2:2 ack 70000",
                             "P. 2:12 ack 2", "P 2:12", ". 3:3 ack 2", "P. 1:2 ack 2"})
    for (const bool held : {true, false}) {
      Conversation c{stamped(true)};
      time_wait(c, held, true);
      c.peer(std::string(forged) + " <nop,nop,TS 1000000 0>");
      (void)c.take_sent();
      c.new_incarnation(c.line().peer_iss - 5000);
      c.peer("S 0:0 <mss 1460,nop,nop,TS 1500 0>");
      c.expect("S. 0:0 ack 1");
      c.state(State::syn_received);
    }
}

TEST(TimeWaitRule, CLOSING_takes_the_ACK_of_a_FIN_that_comes_again) {
  for (const bool close : {false, true}) {
    Conversation c;
    bring_to(c, State::closing);
    if (close) c.user_close();
    c.peer("F. 1:1 ack 2");
    c.expect(". 2:2 ack 2");
    c.state(State::time_wait);
    c.wait(100ms);
    c.peer("F. 1:1 ack 2");
    c.expect(". 2:2 ack 2");
  }
}

TEST(TimeWaitRule, CLOSE_WAIT_and_LAST_ACK_take_the_ACK_of_a_FIN_that_comes_again) {
  Conversation c;
  bring_to(c, State::close_wait);
  c.user_send(100);
  c.expect("P. 1:101 ack 2");
  c.peer("F. 1:1 ack 101");
  c.expect_soon(". 101:101 ack 2");
  EXPECT_EQ(c.status().flight, 0u);
  c.user_shutdown();
  c.expect("F. 101:101 ack 2");
  c.peer("F. 1:1 ack 102");
  c.state(State::listen);
}

TEST(TimeWaitRule, CLOSING_does_not_take_an_ACK_that_it_has_not_sent_for) {
  Conversation c;
  bring_to(c, State::closing);
  c.peer("F. 1:1 ack 1");
  c.expect(". 2:2 ack 2");
  c.peer("F. 1:1 ack 900");
  (void)c.take_sent();
  c.state(State::closing);
}

// RFC 6191 §2, all cases, with a number that is lower, the same, or higher.
TEST(TimeWaitRule, RFC_6191_each_case_of_the_algorithm) {
  struct Case {
    bool before, now;  // Timestamps.
    int newer;         // TSval against the last one.
    int higher;        // The number against the next one expected.
    bool opens;
  };
  const std::vector<Case> cases{
      {true, true, 1, -1, true},  {true, true, 1, 1, true},    {true, true, 0, 1, true},
      {true, true, 0, -1, false}, {true, true, -1, 1, false},  {true, true, -1, -1, false},
      {true, false, 0, 1, true},  {true, false, 0, -1, false}, {false, true, 0, -1, true},
      {false, true, 0, 1, true},  {false, false, 0, 1, true},  {false, false, 0, -1, false},
  };
  for (const bool held : {true, false})
    for (const auto& k : cases) {
      Conversation c{stamped(true)};
      time_wait(c, held, k.before);
      c.wait(1s);
      c.new_incarnation(c.line().peer_iss + std::uint32_t(2 + 1000 * k.higher));
      c.peer(k.now ? fmt::format("S 0:0 <mss 1460,nop,nop,TS {} 0>", 1000 + 100 * k.newer)
                   : "S 0:0 <mss 1460>");
      const auto sent = c.take_sent();
      ASSERT_EQ(sent.size(), 1u);
      EXPECT_EQ(sent[0].flags, k.opens ? 0x12 : 0x10)
          << k.before << k.now << ' ' << k.newer << ' ' << k.higher;
    }
}

TEST(TimeWaitRule, A_SYN_with_timestamps_that_are_not_enabled_counts_by_its_number) {
  Conversation c{stamped(false)};
  time_wait(c, false, false);
  c.peer("S 1:1 <mss 1460,nop,nop,TS 5 0>");
  c.expect(". 2:2 ack 2");
}

}  // namespace
}  // namespace estab::script
