// SPDX-License-Identifier: Apache-2.0
// Where real peers and boxes on the way depart from the RFCs, and Linux lets them: so do we.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include "scenes.hpp"

namespace estab::script {
namespace {

Scene with_timestamps() {
  Scene scene;
  scene.tcp.timestamps = true;
  return scene;
}
constexpr auto timestamps = "win 65535 <mss 1460,nop,nop,TS 1 0>";

// --- Timestamps that were agreed and are left out (RFC 7323 §3.2) --------------------------------

TEST(Lenient, A_segment_without_the_agreed_timestamps_is_taken_in_every_state_and_counted) {
  for (const auto state : connected_states) {
    Conversation c{with_timestamps()};
    c.open_passive(timestamps);
    const bool peer_first = state == State::close_wait || state == State::last_ack;
    std::uint32_t taken = 0;
    const auto peer = [&](const std::string& spec) {
      c.take_sent();
      c.peer(spec);
      c.run(200ms);
      c.take_sent();
      EXPECT_EQ(c.count(Reason::timestamp_missing), ++taken) << name(state) << spec;
    };
    peer("P. 1:101 ack 1");
    c.user_receive(100);
    if (peer_first) peer("F. 101:101 ack 1");
    if (state != State::established && state != State::close_wait) c.user_shutdown();
    if (state == State::closing) peer("F. 101:101 ack 1");
    if (state == State::fin_wait_2) peer(". 101:101 ack 2");
    c.run(10ms);
    c.take_sent();
    c.state(state);
    if (state == State::closing || state == State::last_ack) {
      peer(". 102:102 ack 2");
      c.state(state == State::closing ? State::time_wait : State::listen);
    }
  }
}

TEST(Lenient, A_segment_without_timestamps_leaves_TS_Recent_and_passes_no_other_check_more_easily) {
  Conversation c{with_timestamps()};
  c.open_passive(timestamps);
  c.peer("P. 1:101 ack 1 <nop,nop,TS 50 0>");
  c.expect_soon(". 1:1 ack 101 <nop,nop,TS . 50>");
  c.peer("P. 101:201 ack 1");
  c.expect_soon(". 1:1 ack 201 <nop,nop,TS . 50>");
  for (const auto* refused : {"P. 201:301 ack 900000", "P. 201:301 ack -900000", "P 201:301",
                              "P. 900000:900100 ack 1", "S 201:301"}) {
    c.run(1s);
    c.peer(refused);
    c.take_sent();
    EXPECT_EQ(c.status().octets_received, 200u) << refused;
  }
  EXPECT_EQ(c.count(Reason::timestamp_missing), 1u);
  c.peer("P. 201:301 ack 1 <nop,nop,TS 49 0>");  // PAWS goes on.
  c.expect(". 1:1 ack 201 <nop,nop,TS . 50>");
  EXPECT_EQ(c.count(Reason::paws), 1u);
}

TEST(Lenient, Where_the_settings_demand_timestamps_a_segment_without_them_is_dropped) {
  auto scene = with_timestamps();
  scene.tcp.require_timestamps = true;
  Conversation c{scene};
  c.open_passive(timestamps);
  c.peer("P. 1:101 ack 1");
  c.expect_nothing();
  c.user_receive_error(Error::would_block);
  EXPECT_EQ(c.count(Reason::timestamp_missing), 1u);
  c.peer("R 1:1");  // A RST is exempt.
  c.ended_with(Error::reset);
}

// --- Resets: with the number of the FIN, and after data ------------------------------------------

TEST(Lenient, A_RST_with_the_number_of_the_peers_FIN_ends_the_connection) {
  for (const auto state : {State::close_wait, State::closing, State::last_ack})
    for (const auto* flags : {"R", "R."}) {
      Conversation c;
      const auto place = bring_to(c, state);
      c.user_receive_end();
      c.peer(segment(flags, place.rcv_nxt - 1, place.snd_nxt));
      c.state(State::listen);
      c.wait(200s);  // Nothing is sent again.
    }
}

TEST(Lenient, A_RST_with_the_number_before_the_peers_FIN_or_before_any_FIN_does_not) {
  for (const auto state : connected_states) {
    Conversation c;
    const auto place = bring_to(c, state);
    const bool fin =
        state == State::close_wait || state == State::closing || state == State::last_ack;
    c.peer(segment("R", place.rcv_nxt - (fin ? 2 : 1)));
    c.expect_nothing();
    c.state(state);
  }
}

TEST(Lenient, In_TIME_WAIT_a_RST_with_the_number_of_the_FIN_does_nothing) {
  for (const bool held : {true, false}) {
    Conversation c;
    bring_to(c, State::time_wait);
    if (!held) c.user_close();
    c.peer("R 1:1");
    c.expect_nothing();
    c.state(State::time_wait);
  }
}

TEST(Lenient, Data_that_arrived_before_a_RST_can_be_read_then_comes_the_error) {
  for (const auto state : {State::established, State::fin_wait_1, State::fin_wait_2}) {
    Conversation c;
    const auto place = bring_to(c, state);
    c.peer(segment("P.", 1, place.snd_nxt).replace(3, 3, "1:1001"));
    c.run(200ms);
    c.take_sent();
    c.peer("R 1001:1001");
    c.state(State::listen);
    c.ended_with(Error::reset);
    EXPECT_EQ(c.stack().available(c.line().id).value(), 1000u);
    c.user_receive(400);
    c.user_receive(600);
    c.user_receive_error(Error::reset);
    c.user_receive_error(Error::reset);
  }
}

TEST(Lenient, Data_and_RST_that_arrive_in_one_batch_are_read_alike) {
  Conversation c;
  c.open_passive();
  c.peer_batch({"P. 1:101 ack 1", "P. 201:301 ack 1", "R. 101:101 ack 1"});
  c.user_receive(100);
  c.user_receive_error(Error::reset);  // What was held behind the hole never gets its turn.
}

TEST(Lenient, After_the_peers_FIN_a_RST_leaves_the_end_of_the_stream_to_be_read) {
  for (const auto rst : {101, 102}) {
    Conversation c;
    c.open_passive();
    c.peer("FP. 1:101 ack 1");
    c.run(200ms);
    c.take_sent();
    c.peer(fmt::format("R. {0}:{0} ack 1", rst));
    c.ended_with(Error::reset);
    c.user_receive(100);
    c.user_receive_end();
    c.user_receive_end();
    std::byte octet[1]{};
    EXPECT_EQ(c.stack().send(c.line().id, octet, {}, c.now()).error(), Error::reset);
  }
}

TEST(Lenient, Data_can_be_read_after_the_connection_has_timed_out_or_met_its_keep_alive_limit) {
  for (const bool keep_alive : {false, true}) {
    Conversation c;
    c.open_passive();
    auto options = c.options();
    options.user_timeout = Milliseconds{30s};
    options.keep_alive = keep_alive;
    options.keep_alive_idle = Milliseconds{10s};
    c.user_options(options);
    c.peer("P. 1:101 ack 1");
    c.run(200ms);
    c.take_sent();
    if (!keep_alive) c.user_send(10);
    c.run(3600s);
    c.take_sent();
    c.ended_with(Error::timed_out);
    c.user_receive(100);
    c.user_receive_error(Error::timed_out);
  }
}

TEST(Lenient, What_a_connection_that_was_reset_holds_is_given_back_when_it_is_read_and_closed) {
  Conversation c;
  c.user_listen();
  const auto before = c.stack().memory();
  for (std::uint16_t port = 41000; port < 41016; ++port) {
    c.on(port).open_passive();
    c.peer_batch({"P. 2001:3001 ack 1", "P. 1:1001 ack 1"});
    c.take_sent();
    const auto holding = c.stack().memory();
    c.peer("R 1001:1001");
    EXPECT_LT(c.stack().memory(), holding);  // What lay behind the hole.
    c.user_receive(500);
    c.user_close();
  }
  c.run(1s);
  EXPECT_LE(c.stack().memory(), before + 65536);  // Tables may have grown.
}

// --- Small segments (MUST-16) --------------------------------------------------------------------

TEST(Lenient, MUST_16_no_segment_is_larger_than_the_peers_MSS_down_to_48) {
  struct Case {
    int announced, payload;
  };
  for (const auto& [announced, payload] :
       {Case{0, 536}, Case{1, 48}, Case{47, 48}, Case{48, 48}, Case{49, 49}, Case{100, 100},
        Case{215, 215}, Case{216, 216}, Case{65535, 1460}})
    for (const bool active : {false, true}) {
      Conversation c;
      const auto options = fmt::format("win 65535 <mss {}>", announced);
      if (active) c.open_active(options);
      else c.open_passive(options);
      EXPECT_EQ(c.status().send_mss, payload);
      c.user_send(20000);
      std::uint32_t segments = 0, next = 1;
      for (int i = 0; i < 1000 && next < 20001; ++i) {
        for (const auto& sent : c.take_sent()) {
          EXPECT_LE(sent.length, std::uint32_t(payload)) << announced;
          if (sent.length > 0) ++segments;
          next = std::max(next, sent.seq + sent.length);
        }
        c.peer(segment(".", 1, next));
      }
      EXPECT_EQ(next, 20001u);
      EXPECT_LE(segments, 20000u / std::uint32_t(payload) * 21 / 20 + 1) << announced;
    }
}

TEST(Lenient, An_MSS_of_0_is_none_and_with_timestamps_the_smallest_payload_is_36) {
  Scene v6;
  v6.v6 = true;
  Conversation six{v6};
  six.open_passive("win 65535 <mss 0>");
  EXPECT_EQ(six.status().send_mss, 1220);
  Conversation c{with_timestamps()};
  c.open_passive("win 65535 <mss 1,nop,nop,TS 1 0>");
  c.user_send(36);
  c.expect("P. 1:37 ack 1 <nop,nop,TS . 1>");
  EXPECT_EQ(c.status().send_mss, 36);
}

// --- Resets that we send -------------------------------------------------------------------------

TEST(Lenient, RFC_7323_a_RST_of_ours_carries_timestamps_where_they_were_agreed) {
  for (const int how : {0, 1, 2}) {
    Conversation c{with_timestamps()};
    c.open_passive(timestamps);
    c.peer("P. 1:101 ack 1 <nop,nop,TS 7 0>");
    c.expect_soon(". 1:1 ack 101 <nop,nop,TS . 7>");
    if (how == 0) {
      c.user_close();
    } else if (how == 1) {
      c.user_abort();
    } else {
      auto options = c.options();
      options.user_timeout = Milliseconds{1s};
      c.user_options(options);
      c.user_send(10);
      c.run(60s);
      const auto sent = c.take_sent();
      ASSERT_FALSE(sent.empty());
      EXPECT_EQ(sent.back().flags, 20);
      EXPECT_EQ(sent.back().options.size(), 3u);
      continue;
    }
    c.expect("R. 1:1 ack 101 <nop,nop,TS . 7>");
  }
}

TEST(Lenient, SHLD_3_data_for_an_orphan_draws_a_reset_with_the_number_that_they_acknowledge) {
  for (const auto* text : {"1:101", "101:201", "1:1"})
    for (const bool acked : {false, true}) {
      Conversation c{with_timestamps()};
      c.open_passive(timestamps);
      c.user_close();
      c.expect("F. 1:1 ack 1");
      if (acked) c.peer(". 1:1 ack 2 <nop,nop,TS 1 0>");
      c.state(acked ? State::fin_wait_2 : State::fin_wait_1);
      c.peer(fmt::format("P. {} ack {} <nop,nop,TS 2 0>", text, acked ? 2 : 1));
      if (std::string_view(text) == "1:1") continue;  // No data.
      c.expect(acked ? "R 2:2 <>" : "R 1:1 <>", Reason::text_after_close);
      c.state(State::listen);
    }
}

}  // namespace
}  // namespace estab::script
