// SPDX-License-Identifier: Apache-2.0
#include "estab/observe/tracker.hpp"

#include <gtest/gtest.h>

#include "tests/observe/scene.hpp"

namespace estab::observe {
namespace {

using namespace test;
using enum State;

// Our end is A; what is said of the peer is the inference.
class Inference : public testing::Test {
  auto witness() {
    return Witnessed(from_a, [this](const Event& e, Bytes b) {
      const auto s = read_segment(e, b);
      tracker_.event(e, &*s);
    });
  }

 protected:
  void sent(const Wire& w) { witness().sent(0s, w, established); }
  void received(const Wire& w) { witness().received(0s, w, established, established); }
  void dropped(const Wire& w) { witness().dropped(0s, w, established, Reason::out_of_window); }
  std::optional<State> peer() {
    const auto view = tracker_.view(1);
    if (!view) return {};
    EXPECT_TRUE(view->inferred);
    return view->state;
  }
  std::string number(int end, std::uint32_t raw) { return tracker_.number(end, Seq(raw)); }

 private:
  FlowTracker tracker_{from_a, Witness::one_end};
};

TEST_F(Inference, APeerThatAnswersAndClosesLast) {
  sent(by_a("S", 0, 0));
  EXPECT_EQ(peer(), std::nullopt);
  received(by_b("SA", 0, 1));
  EXPECT_EQ(peer(), syn_received);
  sent(by_a("A", 1, 1));
  EXPECT_EQ(peer(), established);
  sent(by_a("FA", 1, 1));
  EXPECT_EQ(peer(), established) << "whether our FIN arrived, its ACK will tell";
  received(by_b("A", 1, 2));
  EXPECT_EQ(peer(), close_wait);
  received(by_b("FA", 1, 2));
  EXPECT_EQ(peer(), last_ack);
  sent(by_a("A", 2, 2));
  EXPECT_EQ(peer(), closed);
  received(by_b("FA", 1, 2));
  EXPECT_EQ(peer(), last_ack) << "the FIN again: our ACK was lost";
}

TEST_F(Inference, APeerThatOpensAndClosesFirst) {
  received(by_b("S", 0, 0));
  EXPECT_EQ(peer(), syn_sent);
  sent(by_a("SA", 0, 1));
  EXPECT_EQ(peer(), syn_sent);
  received(by_b("A", 1, 1));
  EXPECT_EQ(peer(), established);
  received(by_b("FA", 1, 1));
  EXPECT_EQ(peer(), fin_wait_1);
  sent(by_a("A", 1, 2));
  EXPECT_EQ(peer(), fin_wait_2);
  sent(by_a("FA", 1, 2));
  received(by_b("A", 2, 2));
  EXPECT_EQ(peer(), time_wait);
}

TEST_F(Inference, AThreeSegmentCloseEndsInTimeWaitAtThePeerThatClosedFirst) {
  received(by_b("A", 1, 1));
  received(by_b("FA", 1, 1));
  sent(by_a("FA", 1, 2));
  EXPECT_EQ(peer(), fin_wait_1) << "our ACK rides on a FIN, which will be acknowledged";
  received(by_b("A", 2, 2));
  EXPECT_EQ(peer(), time_wait);
}

TEST_F(Inference, FinsThatCrossLeadThroughClosing) {
  received(by_b("A", 1, 1));
  sent(by_a("FA", 1, 1));
  received(by_b("FA", 1, 1));
  EXPECT_EQ(peer(), fin_wait_1);
  received(by_b("A", 2, 2));
  EXPECT_EQ(peer(), closing);
  sent(by_a("A", 2, 2));
  EXPECT_EQ(peer(), time_wait);
}

TEST_F(Inference, SynsThatCross) {
  sent(by_a("S", 0, 0));
  received(by_b("S", 0, 0));
  EXPECT_EQ(peer(), syn_sent);
  received(by_b("SA", 0, 1));
  EXPECT_EQ(peer(), syn_received);
}

TEST_F(Inference, WhatWasNotTakenProvesNothingOfThePeer) {
  received(by_b("A", 1, 1));
  dropped(by_b("R", 700, 0));
  EXPECT_EQ(peer(), established);
  received(by_b("R", 1, 0));
  EXPECT_EQ(peer(), closed);
}

TEST_F(Inference, ANewSynBeginsTheFlowAnew) {
  sent(by_a("S", 0, 0));
  received(by_b("RA", 0, 1));
  EXPECT_EQ(peer(), closed);
  sent(by_a("S", 70'000, 0));
  EXPECT_EQ(peer(), std::nullopt);
  EXPECT_EQ(number(0, j + 70'001), "J+1");
}

TEST_F(Inference, NumbersCountFromTheOpenersJAndTheOthersK) {
  EXPECT_EQ(number(1, 5000), "5000");
  received(by_b("S", 0, 0));
  sent(by_a("SA", 0, 1));
  EXPECT_EQ(number(1, k), "J");
  EXPECT_EQ(number(0, j + 1), "K+1");
  EXPECT_EQ(number(0, j + 3'000'000'000), "K+3000000000");
  EXPECT_EQ(number(0, j - 1), "K-1");
}

TEST(TrackerOfBothEnds, InfersNothing) {
  FlowTracker tracker{from_a, Witness::both_ends};
  const auto take = [&](const Event& e, Bytes b) {
    const auto s = read_segment(e, b);
    tracker.event(e, s ? &*s : nullptr);
  };
  Witnessed a{from_a, take}, b{from_b, take};
  a.sent(0s, by_a("S", 0, 0), syn_sent);
  EXPECT_EQ(tracker.view(1), std::nullopt);
  b.received(0s, by_a("S", 0, 0), listen, syn_received);
  EXPECT_EQ(tracker.view(0), (FlowTracker::View{syn_sent, false}));
  EXPECT_EQ(tracker.view(1), (FlowTracker::View{syn_received, false}));
}

}  // namespace
}  // namespace estab::observe
