// SPDX-License-Identifier: Apache-2.0
// The peer's window: shrinking, shut, probed. RFC 9293 §3.8.6.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include "scenes.hpp"

namespace estab::script {
namespace {

// Ten segments of 1000 octets are out, and the RTT is known to be 100 ms: the RTO is 300 ms.
void measured(Conversation& c) {
  c.open_passive("win 65535 <mss 1000>");
  c.user_send(1000);
  c.expect("P. 1:1001 ack 1");
  c.wait(100ms);
  c.peer(". 1:1 ack 1001");
}

TEST(Window, MUST_36_SHLD_29_SHLD_30_a_shut_window_is_probed_after_an_RTO_and_then_twice_as_long) {
  Conversation c;
  measured(c);
  c.peer(". 1:1 ack 1001 win 0");
  c.user_send(5000);
  const auto rto = c.status().rto;
  c.expect_between(rto, rto + 5ms, ". 1000:1000 ack 1");  // Behaviour: SND.UNA - 1, no octet.
  c.peer(". 1:1 ack 1001 win 0");
  c.expect_between(2 * rto - 5ms, 2 * rto + 5ms, ". 1000:1000 ack 1");
  c.peer(". 1:1 ack 1001 win 0");
  c.expect_between(4 * rto - 5ms, 4 * rto + 5ms, ". 1000:1000 ack 1");
  EXPECT_EQ(c.count(Reason::send_zero_window_probe), 3u);
}

TEST(Window, MUST_37_the_connection_lives_for_days_while_its_probes_are_answered) {
  Conversation c;
  measured(c);
  c.peer(". 1:1 ack 1001 win 0");
  c.user_send(5000);
  for (int i = 0; i < 2000; ++i) {
    c.expect_between(0ms, 121s, ". 1000:1000 ack 1");
    c.peer(". 1:1 ack 1001 win 0");
  }
  c.state(State::established);
  EXPECT_GT(c.elapsed(), 48h);
  c.peer(". 1:1 ack 1001 win 1000");
  c.expect(". 1001:2001 ack 1");
}

TEST(Window, Probes_that_nobody_answers_end_the_connection) {
  Conversation c;
  measured(c);
  c.peer(". 1:1 ack 1001 win 0");
  c.user_send(5000);
  c.run(100s);
  c.state(State::established);  // SHLD-11: 100 s at least.
  c.run(1100s);
  c.state(State::listen);
  c.ended_with(Error::timed_out);
  EXPECT_LE(c.take_sent().size(), 25u);
}

TEST(Window, When_it_opens_the_text_leaves_at_once) {
  Conversation c;
  measured(c);
  c.peer(". 1:1 ack 1001 win 0");
  c.user_send(2000);
  c.wait(50ms);
  c.peer(". 1:1 ack 1001 win 5000");
  c.expect(". 1001:2001 ack 1");
  c.expect("P. 2001:3001 ack 1");
}

TEST(Window, MUST_34_SHLD_15_when_it_shrinks_no_new_text_leaves_and_nothing_breaks) {
  Conversation c;
  measured(c);
  c.user_send(5000);
  EXPECT_EQ(c.take_sent().size(), 5u);
  c.peer(". 1:1 ack 2001 win 1000");  // The edge was at 66536, now it is at 3001.
  c.user_send(3000);
  c.wait(50ms);
  EXPECT_EQ(c.status().send_window, 1000u);
  c.peer(". 1:1 ack 6001 win 10000");  // What was out arrived all the same.
  c.expect(". 6001:7001 ack 1");
  c.expect(". 7001:8001 ack 1");
  c.expect("P. 8001:9001 ack 1");
}

TEST(Window, SHLD_16_what_lies_inside_a_shrunken_window_is_sent_again) {
  Conversation c;
  measured(c);
  c.user_send(5000);
  EXPECT_EQ(c.take_sent().size(), 5u);
  c.peer(". 1:1 ack 1001 win 2000");
  c.expect_between(200ms, 700ms, ". 1001:2001 ack 1");
  c.state(State::established);
}

TEST(Window, MUST_35_SHLD_17_shrunken_to_zero_it_is_probed_and_the_connection_lives) {
  Conversation c;
  measured(c);
  c.user_send(3000);
  EXPECT_EQ(c.take_sent().size(), 3u);
  for (int i = 0; i < 50; ++i) {
    c.peer(". 1:1 ack 1001 win 0");
    c.run(120s);
    const auto sent = c.take_sent();
    EXPECT_FALSE(sent.empty());
  }
  c.state(State::established);
  c.peer(". 1:1 ack 4001 win 5000");
  EXPECT_EQ(c.status().flight, 0u);
}

TEST(Window, A_window_update_after_a_probe_was_lost_is_enough) {
  Conversation c;
  measured(c);
  c.peer(". 1:1 ack 1001 win 0");
  c.user_send(1000);
  c.expect_between(200ms, 400ms, ". 1000:1000 ack 1");
  c.wait(300ms);
  c.peer(". 1:1 ack 1001 win 3000");
  c.expect("P. 1001:2001 ack 1");
}

TEST(Window, A_FIN_waits_behind_the_text_that_a_shut_window_holds) {
  Conversation c;
  measured(c);
  c.peer(". 1:1 ack 1001 win 0");
  c.user_send(1000);
  c.user_shutdown();
  c.expect_between(200ms, 400ms, ". 1000:1000 ack 1");
  c.peer(". 1:1 ack 1001 win 3000");
  c.expect("FP. 1001:2001 ack 1");
}

TEST(Window, MUST_1_REC_1_a_window_of_65535_is_not_negative) {
  Conversation c;
  c.open_passive("win 65535");
  EXPECT_EQ(c.status().send_window, 65535u);
}

TEST(Window, RFC_7323_it_is_scaled_after_the_SYN_and_never_on_it) {
  Scene scene;
  scene.tcp.window_scaling = true;
  Conversation c{scene};
  c.user_listen();
  c.peer("S 0:0 win 500 <mss 1000,nop,wscale 3>");
  c.expect("S. 0:0 ack 1 <mss 1460,nop,wscale .>");
  c.peer(". 1:1 ack 1 win 500");
  c.user_accept();
  EXPECT_EQ(c.status().send_window, 4000u);
  EXPECT_EQ(c.status().send_scale, 3);
}

TEST(Window, Threats_50_a_scale_over_14_counts_as_14) {
  Scene scene;
  scene.tcp.window_scaling = true;
  for (const int scale : {14, 15, 200, 255}) {
    Conversation c{scene};
    c.user_listen();
    c.peer(fmt::format("S 0:0 win 500 <mss 1000,nop,wscale {}>", scale));
    c.expect("S. 0:0 ack 1");
    c.peer(". 1:1 ack 1 win 1");
    c.user_accept();
    EXPECT_EQ(c.status().send_window, 1u << 14);
  }
}

}  // namespace
}  // namespace estab::script
