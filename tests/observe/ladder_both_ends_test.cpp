// SPDX-License-Identifier: Apache-2.0
// Ladders of two stacks, as the simulator has them: both ends tell, nothing is inferred.
#include "tests/observe/picture.hpp"

namespace estab::observe {
namespace {

using namespace test;
using enum State;

TEST(LadderOfBothEnds, SegmentsThatCrossAreDrawnAsHalves) {
  Picture picture{Witness::both_ends, {}};
  auto a = picture.end(from_a), b = picture.end(from_b);
  a.enter(0us, closed, syn_sent, Reason::user_active_open);
  a.sent(0us, by_a("S", 0, 0), syn_sent, Reason::send_syn);
  b.enter(0us, closed, syn_sent, Reason::user_active_open);
  b.sent(0us, by_b("S", 0, 0), syn_sent, Reason::send_syn);
  a.enter(10ms, syn_sent, syn_received, Reason::simultaneous_open);
  a.received(10ms, by_b("S", 0, 0), syn_sent, syn_received);
  a.sent(10ms, by_a("SA", 0, 1), syn_received, Reason::send_syn_ack);
  b.enter(10ms, syn_sent, syn_received, Reason::simultaneous_open);
  b.received(10ms, by_a("S", 0, 0), syn_sent, syn_received);
  b.enter(20ms, syn_received, established, Reason::handshake_done);
  b.received(20ms, by_a("SA", 0, 1), syn_received, established);
  EXPECT_EQ(picture.text(), R"(
           10.77.0.2:40000                                      10.77.0.1:7
                  CLOSED │                                      │ CLOSED
 0.000000       SYN-SENT │───────────── SYN seq=J ··············│
 0.000000                │············· SYN seq=K ──────────────│ SYN-SENT
 0.010000   SYN-RECEIVED │◄──────────── SYN seq=K ··············│
 0.010000                │─────── SYN,ACK seq=J, ack=K+1 ·······│
 0.010000                │············· SYN seq=J ─────────────►│ SYN-RECEIVED
 0.020000                │······· SYN,ACK seq=J, ack=K+1 ──────►│ ESTABLISHED
)");
}

TEST(LadderOfBothEnds, WhatTheLinkLosesEndsOnTheWayAndWhatIsHeldBackNeverArrives) {
  Picture picture{Witness::both_ends, {}};
  auto a = picture.end(from_a), b = picture.end(from_b);
  picture.end({end_b, {}}).enter(0s, closed, listen, Reason::user_passive_open);
  a.enter(0s, closed, syn_sent, Reason::user_active_open);
  a.sent(0s, by_a("S", 0, 0), syn_sent, Reason::send_syn);
  a.dropped(1ms, by_a("S", 0, 0), syn_sent, Reason::fault_lost);
  a.sent(1s, by_a("S", 0, 0), syn_sent, Reason::retransmit_timeout);
  b.enter(1010ms, listen, syn_received, Reason::syn_arrived);
  b.received(1010ms, by_a("S", 0, 0), listen, syn_received);
  b.sent(1010ms, by_b("SA", 0, 1), syn_received, Reason::send_syn_ack);
  EXPECT_EQ(picture.text(), R"(
           10.77.0.2:40000                                      10.77.0.1:7
                  CLOSED │                                      │ LISTEN
 0.000000       SYN-SENT │───────────── SYN seq=J ───────×      │
                         │                 lost                 │
 1.000000                │───────────── SYN seq=J ─────────────►│ SYN-RECEIVED
                         │          retransmit timeout          │
 1.010000                │······· SYN,ACK seq=K, ack=J+1 ───────│
)");
}

}  // namespace
}  // namespace estab::observe
