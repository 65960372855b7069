// SPDX-License-Identifier: Apache-2.0
#include "estab/observe/flood_watch.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "estab/base/random.hpp"
#include "tests/observe/allocations.hpp"

namespace estab::observe {
namespace {

using enum HandshakeStep;

const Endpoint web{Address::v4(192, 0, 2, 80), Port{80}};
const Endpoint mail{Address::v4(192, 0, 2, 80), Port{25}};

// A watch, a clock, and those who come.
class Watched : public testing::Test {
 protected:
  explicit Watched(const HandshakeSource& source = HandshakeSource::listener())
      : watch({11, 22}, source, std::array{web, mail}) {}

  void tell(HandshakeStep step, const Endpoint& client, const Endpoint& to = web) {
    advance();
    watch.observe({now, step, {to, client}});
  }
  void advance() {
    watch.advance(now, [&](const FloodReport& r) {
      if (r.evidence.listener == Endpoint{}) reports.push_back(r.in_words()), last = r;
    });
  }
  // One of 200 prefixes that come again and again.
  Endpoint person() {
    const auto network = std::uint32_t(random.below(200));
    return {Address::v4(0x0b000000u | network << 8 | 7), Port(1024 + random.below(60'000))};
  }
  Endpoint forged() {
    return {Address::v4(0x20000000u | std::uint32_t(random() & 0x7fffffff)), Port{4444}};
  }
  void visit(const Endpoint& to = web) {
    const auto client = person();
    for (const auto step : {syn, syn_ack, completed, client_data}) tell(step, client, to);
  }
  void attack(const Endpoint& to = web) {
    const auto client = forged();
    tell(syn, client, to), tell(syn_ack, client, to);
  }
  // For so many seconds, so many of each a second.
  void pass(int seconds, int visits, int forgeries = 0, const Endpoint& to = web) {
    for (int i = 0; i < seconds * 10; ++i, now += 100ms) {
      for (int n = 0; n < visits / 10; ++n) visit(to);
      for (int n = 0; n < forgeries / 10; ++n) attack(to);
      advance();
    }
  }
  Verdict verdict(std::size_t detector = 0) { return watch.detectors()[detector].report().verdict; }

  FloodWatch watch;
  Instant now{1'000'000s + 340ms};
  Random random{7};
  std::vector<std::string> reports;
  FloodReport last;
};

TEST_F(Watched, AFloodIsNamedWhileItLastsAndAfterItThereIsQuiet) {
  pass(20, 100);
  EXPECT_EQ(verdict(), Verdict::quiet);
  pass(8, 100, 300);
  EXPECT_EQ(verdict(), Verdict::spoofed_flood);
  EXPECT_GT(last.evidence.spread.prefix_entropy, 0.9);
  EXPECT_NEAR(last.evidence.completed_sources, 200, 60);  // 200 people.
  EXPECT_GT(last.evidence.sources, 1000);
  pass(20, 100);
  EXPECT_EQ(verdict(), Verdict::quiet);
}

TEST_F(Watched, TheDetectorOfAnotherListenerStaysQuiet) {
  for (int i = 0; i < 20; ++i) pass(1, 50, 0, web), pass(1, 50, 0, mail);
  pass(10, 50, 300, mail);
  EXPECT_EQ(verdict(0), Verdict::spoofed_flood) << "all listeners";
  EXPECT_EQ(verdict(1), Verdict::quiet) << "web";
  EXPECT_EQ(verdict(2), Verdict::spoofed_flood) << "mail";
  EXPECT_NE(watch.detectors()[2].report().in_words().find(" on 192.0.2.80:25 from "),
            std::string::npos);
}

TEST_F(Watched, AListenerMayComeLaterOrBeReplaced) {
  const Endpoint any4{Address::v4(0, 0, 0, 0), Port{443}}, any6{Address{}, Port{443}};
  watch.add_listener(any4);
  watch.add_listener(any6);
  EXPECT_EQ(watch.find(web), 1u);
  EXPECT_EQ(watch.find({web.address, Port{443}}), 3u);
  EXPECT_EQ(watch.find({*Address::parse("2001:db8::1"), Port{443}}), 4u);
  EXPECT_EQ(watch.find({web.address, Port{22}}), 0u);
  EXPECT_EQ(watch.find({web.address, Port{0}}), 0u);
  for (int i = 0; i < 20; ++i) pass(1, 100, 0, {web.address, Port{443}});
  pass(8, 100, 300, {web.address, Port{443}});
  EXPECT_EQ(verdict(3), Verdict::spoofed_flood);
  watch.replace_listener(3, mail);
  EXPECT_EQ(verdict(3), Verdict::quiet);
  EXPECT_EQ(watch.detectors()[3].report().evidence.listener, mail);
}

TEST_F(Watched, TheSameObservationsGiveTheSameVerdicts) {
  struct Again : Watched {
    void TestBody() override {}
    using Watched::pass, Watched::reports;
  } one, two;
  for (auto* each : {&one, &two}) each->pass(15, 100), each->pass(10, 100, 3000);
  EXPECT_GT(one.reports.size(), 15u);
  EXPECT_EQ(one.reports, two.reports);
}

TEST_F(Watched, ACohortIsJudgedWhenItsFirstHandshakeIsFourSecondsOldAtTheMost) {
  now = Instant{50s};
  attack();
  EXPECT_EQ(watch.next_deadline(), Instant{54s});
  now = Instant{54s} - 1ns;
  advance();
  EXPECT_TRUE(reports.empty());
  now = Instant{54s};
  advance();
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_EQ(last.evidence.counts.failed, 1);
  EXPECT_EQ(last.evidence.cohort, Instant{50s});
}

TEST_F(Watched, WhatWeDidNotAnswerIsNotTheClientsFailure) {
  pass(10, 100);
  for (int i = 0; i < 10; ++i, now += 1s)
    for (int n = 0; n < 100; ++n) tell(syn, person());
  EXPECT_EQ(verdict(), Verdict::quiet);
  EXPECT_EQ(last.evidence.counts.failed, 0);
  EXPECT_NEAR(last.evidence.counts.unanswered, 100, 40);
}

// A network may leave only so many SYN-ACKs unanswered in a second; its other clients ask again,
// and are far away.
TEST_F(Watched, ACrowdOfOneNetworkThatWeLetWaitIsNoReflector) {
  std::vector<Endpoint> crowd;
  for (int i = 0; i < 2540; ++i)
    crowd.push_back({Address::v4(10, 88, 0, std::uint8_t(1 + i % 254)), Port(20'000 + i / 254)});
  const auto all = [&](HandshakeStep step, std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) tell(step, crowd[i]);
  };
  for (int round = 0; round < 3; ++round) {
    all(syn, 0, 2540), all(syn_ack, 0, 1000);
    now += 2800ms;
    all(completed, 0, 1000), all(client_data, 0, 1000);
    now += 200ms;
    all(syn, 1000, 2540), all(syn_ack, 1000, 2540);
    now += 2800ms;
    all(completed, 1000, 2540), all(client_data, 1000, 2540);
    for (int i = 0; i < 40; ++i, now += 100ms) {
      advance();
      EXPECT_EQ(verdict(), Verdict::quiet) << last.in_words();
    }
  }
}

TEST_F(Watched, AReflectorWhoseSynsAreMostlyRefusedIsStillNamed) {
  pass(20, 100);
  for (int i = 0; i < 80; ++i, now += 100ms) {
    for (int n = 0; n < 10; ++n) visit();
    for (int n = 0; n < 500; ++n) {
      const Endpoint victim{Address::v4(10, 88, 0, std::uint8_t(1 + random.below(254))),
                            Port(1024 + random.below(60'000))};
      tell(syn, victim);
      if (n < 100) tell(syn_ack, victim);
    }
  }
  EXPECT_EQ(verdict(), Verdict::reflector);
}

TEST_F(Watched, ASynThatIsRepeatedIsCountedOnce) {
  for (int n = 0; n < 50; ++n) {
    const auto client = person();
    tell(syn, client), tell(syn_ack, client), tell(syn_again, client), tell(syn, client);
  }
  now += 4s;
  advance();
  EXPECT_EQ(last.evidence.counts.syns, 50);
  EXPECT_EQ(last.evidence.spread.repeated, 1);
}

TEST_F(Watched, TheLightsFollowTheQueuesAtOnceAndDoNotFlicker) {
  const auto& lights = watch.detectors()[1].lights();
  const auto fill = [&](std::uint32_t half_open, std::uint32_t accept_queue) {
    watch.observe(web, HandshakeGauges{.at = now,
                                       .half_open = half_open,
                                       .half_open_limit = 100,
                                       .accept_queue = accept_queue,
                                       .accept_limit = 100});
  };
  fill(74, 0);
  EXPECT_EQ(lights, Lights{});
  fill(75, 0);
  EXPECT_EQ(lights, (Lights{.under_pressure = true}));
  fill(25, 90);
  EXPECT_EQ(lights, (Lights{.under_pressure = true, .slow_application = true}));
  fill(24, 24);
  EXPECT_EQ(lights, Lights{});
  EXPECT_EQ(watch.detectors()[2].lights(), Lights{});
}

TEST_F(Watched, ALongSilenceIsPassedInBoundedWorkAndForgetsTheFlood) {
  pass(20, 100);
  pass(10, 100, 300);
  const auto before = reports.size();
  now += 365 * 24h;
  advance();
  EXPECT_LE(reports.size() - before, 320u);
  EXPECT_EQ(verdict(), Verdict::quiet);
  pass(10, 0, 300);
  EXPECT_EQ(verdict(), Verdict::spoofed_flood);
}

TEST_F(Watched, TimeThatGoesBackCountsAsTheLastMoment) {
  pass(10, 100);
  now -= 1h;
  visit();
  now += 1h;
  pass(10, 100);
  EXPECT_EQ(verdict(), Verdict::quiet);
}

TEST_F(Watched, NothingIsAllocatedHoweverLargeTheFlood) {
  pass(10, 100);
  reports.reserve(1000);
  const auto before = test::allocations();
  for (int i = 0; i < 200'000; ++i, now += 20us) {
    const auto client = forged();
    watch.advance(now, [](const FloodReport&) {});
    watch.observe({now, syn, {web, client}});
    watch.observe({now, syn_ack, {web, client}});
  }
  EXPECT_EQ(test::allocations(), before);
}

class WatchedKernel : public Watched {
 protected:
  WatchedKernel() : Watched(HandshakeSource::kernel()) {}
  // What its list and its counters say once a second.
  void second(std::uint32_t visits, int stuck, std::uint32_t cookies = 0) {
    advance();
    for (int i = 0; i < stuck; ++i) watch.observe({now, syn, {web, forged()}});
    watch.observe(Endpoint{}, HandshakeTally{now, visits, cookies, 0});
    now += 1s;
  }
};

TEST_F(WatchedKernel, SocketsThatStayAndCountersThatGrowMakeAFlood) {
  for (int i = 0; i < 20; ++i) second(100, 0);
  EXPECT_EQ(verdict(), Verdict::quiet);
  for (int i = 0; i < 8; ++i) second(100, 60, 400);
  EXPECT_EQ(verdict(), Verdict::spoofed_flood);
  EXPECT_NEAR(last.evidence.recent.completed, 500, 1);
  EXPECT_NE(reports.back().find("a broken path is not excluded"), std::string::npos)
      << reports.back();
}

TEST_F(WatchedKernel, SocketsThatLeaveAreNoFailures) {
  for (int i = 0; i < 20; ++i, now += 1s) {
    const auto client = forged();
    tell(syn, client);
    now += 100ms;
    tell(left, client);
    watch.observe(Endpoint{}, HandshakeTally{now, 1, 0, 0});
  }
  EXPECT_EQ(last.evidence.recent.failed, 0);
  EXPECT_NEAR(last.evidence.recent.completed, 5, 1);
}

}  // namespace
}  // namespace estab::observe
