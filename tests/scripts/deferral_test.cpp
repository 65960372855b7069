// SPDX-License-Identifier: Apache-2.0
// SYNs that wait for the program's word (RFC 9293 §3.9.1.1, "passive open" with a choice).
#include <gtest/gtest.h>

#include "scenes.hpp"

namespace estab::script {
namespace {

Prefix everybody() { return *Prefix::parse("0.0.0.0/0"); }

// The peers of 192.0.2.0/24 wait for the program; all others are accepted.
ListenOptions deferring(std::uint32_t half_open_limit) {
  return {.half_open_limit = half_open_limit,
          .rules = {{*Prefix::parse("192.0.2.0/24"), Verdict::defer}},
          .options = {}};
}
const ListenOptions all_deferred{.rules = {}, .otherwise = Verdict::defer, .options = {}};

Flow stranger(unsigned n) {
  return {{*Address::parse("192.0.2.1"), Port{80}},
          {Address::v4(20, std::uint8_t(n >> 16), std::uint8_t(n >> 8), std::uint8_t(n)),
           Port{std::uint16_t(1024 + n % 60000)}}};
}

Stack::Deferred next(Conversation& c) {
  const auto deferred = c.stack().next_deferred(c.listener());
  EXPECT_TRUE(deferred);
  return deferred.value_or(Stack::Deferred{});
}
Error decide(Conversation& c, HalfOpenId id, Verdict verdict) {
  const auto done = c.stack().decide(id, verdict, c.now());
  return done ? Error::none : done.error();
}

TEST(Deferral, No_flood_pushes_out_a_SYN_that_waits_for_the_program) {
  Conversation c;
  c.stack().add_route({everybody(), 0});
  c.user_listen(deferring(64));
  c.peer("S 0:0");
  const auto honest = next(c);
  for (unsigned n = 0; n < 300; ++n) {
    c.on(stranger(n)).peer("S 0:0");
    c.run(30ms);
    (void)c.take_sent();
  }
  EXPECT_GT(c.stack().status(c.listener())->evicted, 0u);
  c.on(Conversation::peer_port).state(State::syn_received);
  EXPECT_EQ(decide(c, honest.id, Verdict::accept), Error::none);
  c.run(0s);
  c.expect("S. 0:0 ack 1");
  c.peer(". 1:1 ack 1");
  c.user_accept();
}

TEST(Deferral, A_flood_of_SYNs_that_are_deferred_leaves_those_that_came_before) {
  Conversation c;
  c.stack().add_route({everybody(), 0});
  c.user_listen(all_deferred);
  c.peer("S 0:0");
  for (unsigned n = 0; n < 20'000; ++n) {
    c.on(stranger(n)).peer("S 0:0");
    c.run(100us);
  }
  c.expect_nothing();
  EXPECT_EQ(c.stack().status(c.listener())->half_open, 768u);
  EXPECT_GT(c.count(Reason::half_open_full), 19'000u);
  c.on(Conversation::peer_port);
  EXPECT_EQ(decide(c, next(c).id, Verdict::accept), Error::none);
  c.run(0s);
  c.expect("S. 0:0 ack 1");
}

TEST(Deferral, SYNs_that_are_reset_again_leave_a_bounded_number_of_names) {
  Conversation c;
  c.user_listen(all_deferred);
  c.on(1).peer("S 0:0");  // Stays in front of them.
  const auto memory = c.stack().memory();
  for (unsigned n = 0; n < 20'000; ++n) {
    c.on(2).peer("S 0:0");
    c.peer("R 1:1");
  }
  c.state(State::listen);
  EXPECT_LE(c.stack().memory(), memory + (16 << 10));
  EXPECT_GT(c.count(Reason::half_open_full), 18'000u);
  EXPECT_EQ(number(next(c).flow.remote.port), 1);
  EXPECT_FALSE(c.stack().next_deferred(c.listener()));
  c.on(3).peer("S 0:0");  // The program took its time; now there is room.
  EXPECT_EQ(number(next(c).flow.remote.port), 3);
}

TEST(Deferral, The_program_is_told_when_a_deferral_expires_or_its_client_gives_up) {
  Conversation c;
  c.user_listen(all_deferred);
  std::map<std::uint16_t, HalfOpenId> ids;
  for (const std::uint16_t port : {40001, 40002, 40003, 40004}) {
    c.on(port).peer("S 0:0");
    ids[port] = next(c).id;
  }
  c.on(40001).peer("R 1:1");
  c.notified(notice::deferral_gone);
  c.on(40002).peer("S 500");
  c.on(40003).wait(20s);
  c.notified(notice::deferral_gone);
  for (const auto& [port, why] : {std::pair{40001, Reason::back_to_listen},
                                  {40002, Reason::syn_again},
                                  {40003, Reason::half_open_expired},
                                  {40004, Reason::half_open_expired}}) {
    const auto gone = c.stack().next_deferral_gone(c.listener());
    ASSERT_TRUE(gone);
    EXPECT_EQ(number(gone->flow.remote.port), port);
    EXPECT_EQ(gone->id, ids[std::uint16_t(port)]);
    EXPECT_EQ(gone->why, why);
    EXPECT_EQ(decide(c, gone->id, Verdict::accept), Error::not_connected);
  }
  EXPECT_FALSE(c.stack().next_deferral_gone(c.listener()));
}

TEST(Deferral, It_is_told_of_none_that_it_did_not_know_or_has_decided) {
  Conversation c;
  c.user_listen(all_deferred);
  for (const std::uint16_t port : {40001, 40002, 40003, 40004}) c.on(port).peer("S 0:0");
  EXPECT_EQ(decide(c, next(c).id, Verdict::drop), Error::none);
  EXPECT_EQ(decide(c, next(c).id, Verdict::reject), Error::none);
  c.run(0s);
  EXPECT_EQ(c.take_sent().size(), 1u);
  EXPECT_EQ(decide(c, next(c).id, Verdict::accept), Error::none);
  c.run(30s);
  EXPECT_EQ(c.take_sent().size(), 4u);
  c.not_notified(notice::deferral_gone);
  EXPECT_FALSE(c.stack().next_deferral_gone(c.listener()));
}

TEST(Deferral, What_a_program_does_not_take_of_them_is_bounded) {
  Conversation c;
  auto options = all_deferred;
  options.half_open_limit = 8;
  c.user_listen(options);
  for (std::uint16_t port = 1; port <= 100; ++port) {
    c.on(port).peer("S 0:0");
    (void)next(c);
    c.peer("R 1:1");
  }
  for (std::uint16_t port = 93; port <= 100; ++port)
    EXPECT_EQ(number(c.stack().next_deferral_gone(c.listener())->flow.remote.port), port);
  EXPECT_FALSE(c.stack().next_deferral_gone(c.listener()));
}

TEST(Deferral, An_accepted_one_counts_from_the_decision_its_clock_its_number_and_its_round_trip) {
  Scene scene{.tcp = full()};
  Conversation c{scene};
  c.user_listen(all_deferred);
  c.peer("S 0:0 win 65535 <mss 1460,sackOK,TS 1 0,nop,wscale 7>");
  c.wait(14s);
  ASSERT_EQ(decide(c, next(c).id, Verdict::accept), Error::none);
  c.run(0s);
  c.expect("S. 0:0 ack 1 <mss 1460,sackOK,TS 0 1,nop,wscale 9>");
  c.icmp(wire::IcmpMeaning::soft, 0);  // The record goes; its cookie is a young one.
  c.wait(15s);
  c.peer(". 1:1 ack 1 <nop,nop,TS 30000 0>");
  c.state(State::established);

  c.on(40001).peer("S 0:0 win 65535 <mss 1460>");
  c.wait(10s);
  ASSERT_EQ(decide(c, next(c).id, Verdict::accept), Error::none);
  c.run(0s);
  c.expect("S. 0:0 ack 1");
  c.wait(50ms);
  c.peer(". 1:1 ack 1");
  c.on(Conversation::peer_port).user_accept();
  c.on(40001).user_accept();
  EXPECT_EQ(c.status().srtt, 50ms);
}

TEST(Deferral, RFC_6191_its_number_lies_past_those_of_TIME_WAIT_whenever_it_is_accepted) {
  for (std::uint32_t wait = 0; wait < 14; ++wait) {
    Conversation c;
    c.user_listen();
    c.peer("S 0:0");
    c.expect("S. 0:0 ack 1");
    c.peer(". 1:1 ack 1");
    c.user_accept();
    c.user_shutdown();
    c.expect("F. 1:1 ack 1");
    c.peer("F. 1:1 ack 2");
    c.expect_soon(". 2:2 ack 2");
    const Seq old_next{c.line().iss.value_or(0) + 2};
    ASSERT_TRUE(c.stack().close(c.listener(), c.now()));
    c.user_listen(all_deferred);
    c.new_incarnation(c.line().peer_iss + 1000 + wait);
    c.peer("S 0:0");
    c.wait(wait * 1s);
    ASSERT_EQ(decide(c, next(c).id, Verdict::accept), Error::none);
    c.run(0s);
    c.expect("S. 0:0 ack 1");
    EXPECT_GT(Seq(c.line().iss.value_or(0)), old_next);
  }
}

TEST(Deferral, Before_the_decision_nothing_is_said_to_the_peer) {
  Conversation c{{.tcp = full()}};
  c.user_listen(all_deferred);
  c.peer("S 0:0 win 65535 <mss 1460,sackOK,TS 1000 0,nop,wscale 7>");
  for (const char* segment : {". 0:0 ack 1 <TS 1000 0>", "P. 70000:70010 ack 1 <TS 1000 0>",
                              "R 9:9", "S 5 <TS 1 0>", "S 0:0 <TS 1001 0>"})
    c.peer(segment);
  c.icmp(wire::IcmpMeaning::hard, 0);
  c.expect_nothing();
  c.state(State::syn_received);
}

}  // namespace
}  // namespace estab::script
