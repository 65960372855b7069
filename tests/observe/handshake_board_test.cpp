// SPDX-License-Identifier: Apache-2.0
#include "estab/observe/handshake_board.hpp"

#include <gtest/gtest.h>

#include <numeric>

#include "estab/base/random.hpp"
#include "tests/observe/allocations.hpp"

namespace estab::observe {
namespace {

using enum HandshakeStep;

const Endpoint web{Address::v4(192, 0, 2, 80), Port{80}};
const Endpoint mail{Address::v4(192, 0, 2, 80), Port{25}};

std::uint64_t sum(const auto& numbers) {
  return std::accumulate(numbers.begin(), numbers.end(), std::uint64_t{0});
}

// A board, a clock, and those who come.
class Board : public testing::Test {
 protected:
  explicit Board(const HandshakeSource& source = HandshakeSource::listener(),
                 const HandshakeBoardConfig& config = {})
      : board({11, 22}, source, config) {}

  void tell(HandshakeStep step, const Endpoint& client, const Endpoint& to = web) {
    board.advance(now);
    board.observe({now, step, {to, client}});
  }
  void pass(Duration time) { board.advance(now += time); }
  Endpoint client() { return {Address::v4(198, 51, 100, 7), Port(++port_)}; }
  Endpoint forged() {
    return {Address::v4(0x20000000u | std::uint32_t(random() & 0x7fffffff)), Port{4444}};
  }
  void visit(const Endpoint& who, const Endpoint& to = web) {
    for (const auto step : {syn, syn_ack, completed, client_data}) tell(step, who, to);
  }
  void attack(const Endpoint& to = web) {
    const auto who = forged();
    tell(syn, who, to), tell(syn_ack, who, to);
  }
  std::vector<Endpoint> shown() const {
    std::vector<Endpoint> listeners;
    for (const auto& picture : board.pictures()) listeners.push_back(picture.listener);
    return listeners;
  }
  ListenerPicture picture(const Endpoint& listener = web) const {
    for (auto& each : board.pictures())
      if (each.listener == listener) return each;
    ADD_FAILURE() << listener.to_string() << " is not shown";
    return {};
  }

  HandshakeBoard board;
  Instant now{1'000'000s + 340ms};
  Random random{7};

 private:
  std::uint16_t port_ = 1024;
};

TEST_F(Board, AListenerIsFoundByItsAnswerAndThenStandsAlone) {
  tell(syn, client());
  EXPECT_EQ(shown(), std::vector{Endpoint{}});
  visit(client());
  EXPECT_EQ(shown(), std::vector{web});
}

TEST_F(Board, OfSeveralTheSumStandsFirstAndThenTheBusiest) {
  visit(client(), mail);
  for (int i = 0; i < 3; ++i) visit(client());
  pass(1s);
  EXPECT_EQ(shown(), (std::vector{Endpoint{}, web, mail}));
}

TEST_F(Board, StepsAreCountedInTheirSecondAndSynsThatAreRepeatedOnce) {
  const auto slow = client();
  tell(syn, slow), tell(syn_ack, slow);
  visit(client());
  pass(1s);
  tell(syn, slow), tell(syn_ack, slow), tell(completed, slow), tell(completed, slow);
  pass(3s);
  EXPECT_EQ(picture().seconds,
            (std::vector<HandshakeSecond>{{2, 2, 1}, {0, 1, 1}, {0, 0, 0}, {0, 0, 0}}));
}

TEST_F(Board, OnlyTheLastTwoMinutesAreKept) {
  visit(client());
  pass(200s);
  const auto seconds = picture().seconds;
  EXPECT_EQ(seconds.size(), ListenerPicture::seconds_kept);
  EXPECT_EQ(seconds.front(), HandshakeSecond{});
}

TEST_F(Board, HalfOpenConnectionsStandAtTheirAgeUntilTheyCompleteOrTimeOut) {
  const auto patient = client();
  tell(syn, patient), tell(syn_ack, patient);
  pass(2s);
  attack();
  tell(syn, client());  // Not answered: nothing is half-open.
  EXPECT_EQ(picture().half_open, (std::array<std::uint32_t, 8>{1, 0, 1, 0, 0, 0, 0, 0}));
  tell(completed, patient);
  pass(40s);
  EXPECT_EQ(picture().half_open, (std::array<std::uint32_t, 8>{0, 0, 0, 0, 0, 0, 1, 0}));
  pass(24s);
  EXPECT_EQ(sum(picture().half_open), 0u);
}

TEST_F(Board, TheGaugeTellsHowManyAreHalfOpenAndHowLongTheyStay) {
  for (int i = 0; i < 30; ++i) attack();
  pass(2s);
  for (int i = 0; i < 10; ++i) attack();
  board.observe(web, HandshakeGauges{.at = now, .half_open = 8, .half_open_timeout = 15000ms});
  EXPECT_EQ(picture().half_open, (std::array<std::uint32_t, 8>{2, 0, 6, 0, 0, 0, 0, 0}));
  board.observe(web, HandshakeGauges{.at = now, .half_open_timeout = 15000ms});
  pass(14s);
  EXPECT_EQ(sum(picture().half_open), 10u);
}

TEST_F(Board, PrefixesAreThoseOfTheLastHalfMinuteTheBusiestFirst) {
  visit({*Address::parse("203.0.113.9"), Port{1}});
  pass(31s);
  for (int i = 0; i < 3; ++i) visit(client());
  const auto stuck = client();
  tell(syn, stuck), tell(syn_ack, stuck);
  visit({*Address::parse("2001:db8:1:2:3::4"), Port{1}});
  EXPECT_EQ(picture().prefixes,
            (std::vector<PrefixShare>{{*Prefix::parse("198.51.100.0/24"), 4, 3},
                                      {*Prefix::parse("2001:db8:1::/56"), 1, 1}}));
}

TEST_F(Board, AGoodHandshakeIsShownStepByStep) {
  const auto who = client();
  tell(syn, who), tell(syn_ack, who);
  pass(80ms);
  tell(completed, who);
  pass(20ms);
  tell(client_data, who), tell(client_data, who);
  EXPECT_EQ(picture().good,
            (SeenHandshake{{web, who},
                           100ms,
                           {{syn, 0ms}, {syn_ack, 0ms}, {completed, 80ms}, {client_data, 100ms}}}));
  EXPECT_EQ(picture().bad, std::nullopt);
}

TEST_F(Board, ABadHandshakeIsOneThatCameToNothingByTheTimeItIsJudged) {
  const auto who = client();
  tell(syn, who), tell(syn_ack, who);
  pass(1s);
  tell(syn_ack, who);
  pass(2s);
  EXPECT_EQ(picture().bad, std::nullopt);
  tell(syn, who), tell(syn_ack, who);
  pass(2s);
  const SeenHandshake bad{
      {web, who},
      5000ms,
      {{syn, 0ms}, {syn_ack, 0ms}, {syn_ack, 1000ms}, {syn_again, 3000ms}, {syn_ack, 3000ms}}};
  EXPECT_EQ(picture().bad, bad);
  tell(completed, who);  // Late, and yet.
  EXPECT_EQ(picture().bad, std::nullopt);
  EXPECT_EQ(picture().good->flow, bad.flow);
}

TEST_F(Board, AClientsResetIsABadHandshakeAtOnceButNotOfAConnection) {
  const auto done = client();
  visit(done);
  tell(client_reset, done);
  EXPECT_EQ(picture().bad, std::nullopt);
  const auto who = client();
  tell(syn, who), tell(syn_ack, who), tell(client_reset, who);
  ASSERT_TRUE(picture().bad);
  EXPECT_EQ(picture().bad->moments.back(), (HandshakeMoment{client_reset, 0ms}));
  EXPECT_EQ(sum(picture().half_open), 0u);
}

TEST_F(Board, OfManyMomentsTheFirstAndTheLastAreKept) {
  const auto who = client();
  tell(syn, who);
  for (int i = 0; i < 30; ++i) tell(syn_ack, who);
  tell(client_reset, who);
  const auto moments = picture().bad->moments;
  ASSERT_EQ(moments.size(), SeenHandshake::most_moments);
  EXPECT_EQ(moments.front().step, syn);
  EXPECT_EQ(moments.back().step, client_reset);
}

TEST_F(Board, AListenerThatTheSourceNamesTakesOverWhatWasFound) {
  const Endpoint any{Address::v4(0, 0, 0, 0), web.port};
  const Endpoint other{Address::v4(192, 0, 2, 81), web.port};
  attack(web), attack(other), attack(mail);
  board.observe(any, HandshakeGauges{.at = now, .half_open = 2, .half_open_limit = 100});
  board.set_mode(any, "PRESSURE");
  attack(other);
  pass(1s);
  EXPECT_EQ(shown(), (std::vector{Endpoint{}, any, mail}));
  EXPECT_EQ(picture(any).mode, "PRESSURE");
  EXPECT_EQ(sum(picture(any).half_open), 2u);
  EXPECT_EQ(picture(any).seconds.back().syns, 1u);
  visit(client(), {Address::v4(192, 0, 2, 99), Port{443}});
  EXPECT_EQ(shown().size(), 4u) << "the place that was left over";
}

TEST_F(Board, TheSameTrafficGivesTheSamePictures) {
  struct Again : Board {
    void TestBody() override {}
    std::string words() {
      std::string all;
      for (int i = 0; i < 30'000; ++i, now += 500us) attack(), visit(forged(), mail);
      for (const auto& each : board.pictures())
        for (const auto& share : each.prefixes) all += share.prefix.to_string() + each.words;
      return all;
    }
  };
  EXPECT_EQ(Again().words(), Again().words());
}

TEST_F(Board, InAFloodASampleStandsForAllAndAQuietListenerKeepsAllOfIts) {
  attack(), attack(mail);
  const auto before = test::allocations();
  for (int i = 1; i < 60'000; ++i, now += 500us) {
    attack();
    if (i % 1000 == 0) attack(mail);
  }
  EXPECT_EQ(test::allocations(), before);
  EXPECT_EQ(sum(picture(mail).half_open), 60u);
  EXPECT_NEAR(double(sum(picture().half_open)), 60'000, 3000);
  EXPECT_NEAR(double(sum(picture(Endpoint{}).half_open)), 60'060, 3000);
  for (const auto& second : picture().seconds) EXPECT_NEAR(second.syns, 2000, 680) << "the first";
  EXPECT_EQ(picture().seconds.back().syns, 2000u);
  EXPECT_EQ(picture().verdict, Verdict::spoofed_flood);
}

struct FewPlaces : Board {
  FewPlaces() : Board(HandshakeSource::listener(), {.listeners = 2}) {}
};

TEST_F(FewPlaces, TheListenerThatWasSilentLongestGivesWay) {
  const Endpoint third{web.address, Port{443}};
  visit(client(), mail);
  visit(client(), web);
  pass(5s);
  visit(client(), web);
  visit(client(), third);
  EXPECT_EQ(shown().size(), 3u);
  EXPECT_EQ(picture(mail).listener, mail) << "it was not silent for long";
  pass(6s);
  visit(client(), third);
  pass(1s);
  EXPECT_EQ(shown(), (std::vector{Endpoint{}, web, third}));
  EXPECT_EQ(picture(third).seconds, std::vector{HandshakeSecond(1, 1, 1)});
  EXPECT_EQ(picture(Endpoint{}).prefixes.front().syns, 5u);
  board.observe(mail, HandshakeGauges{.at = now, .half_open = 0});
  EXPECT_EQ(shown().size(), 3u) << "what only says that it is idle takes nobody's place";
}

struct KernelBoard : Board {
  KernelBoard() : Board(HandshakeSource::kernel()) {}
};

TEST_F(KernelBoard, CompletionsAreCountedAndSocketsThatLeaveMayBeTheirs) {
  const auto slow = client(), stuck = client();
  board.observe(web, HandshakeTally{now, 0, 0, 0});
  tell(syn, slow), tell(syn, stuck);
  pass(1s);
  tell(left, slow);
  // One of the ten is the socket that left, two brought cookies; seven came and went unseen.
  board.observe(web, HandshakeTally{now, 10, 5, 2});
  pass(1s);
  EXPECT_EQ(picture().seconds, (std::vector<HandshakeSecond>{{2, 0, 0}, {12, 0, 10}}));
  EXPECT_EQ(sum(picture().half_open), 1u);
  pass(3s);
  EXPECT_EQ(picture().bad, (SeenHandshake{{web, stuck}, 5000ms, {{syn, 0ms}}}));
  EXPECT_EQ(picture().good, std::nullopt);
  pass(5s);
  tell(left, stuck);
  EXPECT_EQ(picture().bad->moments.back(), (HandshakeMoment{left, 10'000ms}));
}

struct BoardTowardsServer : Board {
  BoardTowardsServer() : Board(HandshakeSource::towards_server()) {}
};

TEST_F(BoardTowardsServer, WhatSynsComeToIsAListenerAndAnswersAreNotAwaited) {
  tell(syn, client());
  EXPECT_EQ(shown(), std::vector{web});
  EXPECT_EQ(sum(picture().half_open), 1u);
}

}  // namespace
}  // namespace estab::observe
