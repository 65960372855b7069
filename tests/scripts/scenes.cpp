// SPDX-License-Identifier: Apache-2.0
#include "scenes.hpp"

#include <fmt/format.h>

#include <utility>

namespace estab::script {

std::string segment(std::string_view flags, std::uint32_t seq, std::uint32_t ack) {
  return fmt::format("{0} {1}:{1} ack {2}", flags, std::int32_t(seq), std::int32_t(ack));
}

std::string segment(std::string_view flags, std::uint32_t seq) {
  return fmt::format("{0} {1}:{1}", flags, std::int32_t(seq));
}

namespace {

Place syn_sent(Conversation& c) {
  c.user_connect();
  c.expect("S 0:0");
  return {1, 0};
}

Place syn_received(Conversation& c) {
  syn_sent(c);
  c.peer("S 0:0 win 65535 <mss 1460>");
  c.expect("S. 0:0 ack 1");
  return {1, 1};
}

Place fin_wait_1(Conversation& c) {
  c.open_passive();
  c.user_shutdown();
  c.expect("F. 1:1 ack 1");
  return {2, 1};
}

Place fin_wait_2(Conversation& c) {
  const auto place = fin_wait_1(c);
  c.peer(". 1:1 ack 2");
  return place;
}

Place close_wait(Conversation& c) {
  c.open_passive();
  c.peer("F. 1:1 ack 1");
  c.expect_soon(". 1:1 ack 2");
  return {1, 2};
}

Place closing(Conversation& c) {
  fin_wait_1(c);
  c.peer("F. 1:1 ack 1");
  c.expect_soon(". 2:2 ack 2");
  return {2, 2};
}

Place last_ack(Conversation& c) {
  close_wait(c);
  c.user_shutdown();
  c.expect("F. 1:1 ack 2");
  return {2, 2};
}

Place time_wait(Conversation& c) {
  fin_wait_2(c);
  c.peer("F. 1:1 ack 2");
  c.expect_soon(". 2:2 ack 2");
  return {2, 2};
}

Place go(Conversation& c, State state) {
  switch (state) {
    case State::closed:       return {0, 0};
    case State::listen:       return c.user_listen(), Place{0, 0};
    case State::syn_sent:     return syn_sent(c);
    case State::syn_received: return syn_received(c);
    case State::established:  return c.open_passive(), Place{1, 1};
    case State::fin_wait_1:   return fin_wait_1(c);
    case State::fin_wait_2:   return fin_wait_2(c);
    case State::close_wait:   return close_wait(c);
    case State::closing:      return closing(c);
    case State::last_ack:     return last_ack(c);
    case State::time_wait:    return time_wait(c);
  }
  std::unreachable();
}

}  // namespace

Place bring_to(Conversation& c, State state) {
  const auto place = go(c, state);
  c.state(state);
  return place;
}

}  // namespace estab::script
