// SPDX-License-Identifier: Apache-2.0
// Every mixture of the eight control bits in each of the eleven states, by RFC 9293 §3.10.7: what
// the state is afterwards, and that at most one segment answers (threats 32).
#include <gtest/gtest.h>

#include <utility>

#include "scenes.hpp"

namespace estab::script {
namespace {

using enum State;

struct Bits {
  bool fin, syn, rst, ack;
};

// An ACK of all that we have sent, perhaps with the peer's FIN, in a synchronized state.
State after_ack(State state, bool fin) {
  switch (state) {
    case syn_received:
    case established:  return fin ? close_wait : established;
    case fin_wait_1:   return fin ? time_wait : fin_wait_2;
    case fin_wait_2:   return fin ? time_wait : fin_wait_2;
    case closing:      return time_wait;
    case last_ack:     return closed;
    case closed:
    case listen:
    case syn_sent:
    case close_wait:
    case time_wait:    return state;
  }
  std::unreachable();
}

// A segment with exactly the numbers that the state waits for.
State expected_after(State state, Bits b) {
  switch (state) {
    case closed: return closed;
    case listen: return b.syn && !b.ack && !b.rst && !b.fin ? syn_received : listen;
    case syn_sent:
      if (b.rst) return b.ack ? closed : syn_sent;
      if (!b.syn) return syn_sent;
      if (!b.ack) return syn_received;
      return b.fin ? close_wait : established;
    case time_wait: return time_wait;  // RFC 1337; a SYN at RCV.NXT is not new (RFC 6191).
    case syn_received:
    case established:
    case fin_wait_1:
    case fin_wait_2:
    case close_wait:
    case closing:
    case last_ack:
      if (b.rst) return closed;
      if (b.syn || !b.ack) return state;
      return after_ack(state, b.fin);
  }
  std::unreachable();
}

std::string letters_of(int flags) {
  std::string letters = "-";
  for (int bit = 0; bit < 8; ++bit)
    if (flags >> bit & 1) letters += "FSRP.UEW"[bit];
  return letters;
}

void try_flags(State state, int flags) {
  Conversation c;
  const auto place = bring_to(c, state);
  const Bits bits{bool(flags & 1), bool(flags & 2), bool(flags & 4), bool(flags & 16)};
  c.peer(segment(letters_of(flags), place.rcv_nxt, place.snd_nxt));
  const auto answers = c.take_sent();
  EXPECT_LE(answers.size(), 1u) << name(state) << ' ' << letters_of(flags);
  EXPECT_TRUE(!bits.rst || answers.empty()) << name(state) << ' ' << letters_of(flags);
  const State expected = expected_after(state, bits), seen = c.state_of_line();
  // Where the connection is gone its listener may be what is left.
  const bool same = seen == expected || (expected == closed && seen == listen);
  EXPECT_TRUE(same) << name(state) << ' ' << letters_of(flags) << ": " << name(seen) << ", not "
                    << name(expected) << '\n'
                    << c.transcript();
  c.run(300s);  // Nothing that is left breaks anything later.
  c.take_sent();
}

TEST(Flags, Threats_32_every_mixture_in_every_state_leads_where_the_RFC_says) {
  for (int state = 0; state < state_count; ++state)
    for (int flags = 0; flags < 256; ++flags) {
      try_flags(State(state), flags);
      if (HasFailure()) return;
    }
}

}  // namespace
}  // namespace estab::script
