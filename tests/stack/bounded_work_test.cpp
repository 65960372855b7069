// SPDX-License-Identifier: Apache-2.0
// No call does work that grows with the number of connections: at most Work::limit entries each,
// and what is left is due at once. ESTAB_LONG=1: a million connections.
#include <gtest/gtest.h>

#include <cstdlib>
#include <string_view>

#include "estab/base/work.hpp"
#include "heap.hpp"
#include "pair.hpp"

namespace estab {
namespace {

std::size_t crowd_size() {
  const char* setting = std::getenv("ESTAB_LONG");
  return setting != nullptr && std::string_view(setting) == "1" ? 1'000'000 : 100'000;
}

class Crowd : public bench::Pair {
 public:
  // So many connections that live at the same time.
  void open_all(std::size_t count) {
    for (std::size_t n = 0; n < count; ++n) {
      clients_.push_back(connect());
      if (n % 1000 == 999) accept_all();
    }
    accept_all();
    ASSERT_EQ(servers_.size(), count);
  }
  void close_all() {
    for (auto* end : {&clients_, &servers_}) {
      Stack& stack = end == &clients_ ? client : server;
      for (std::size_t n = 0; n < end->size(); ++n) {
        ASSERT_TRUE(stack.close((*end)[n], now));
        if (n % 1000 == 999) settle();
      }
      settle();
      end->clear();
      end->shrink_to_fit();
    }
    drain_notices();
  }
  // Until nothing is due at this moment; how many calls that took.
  std::size_t poll_until_calm() {
    std::size_t calls = 0;
    for (; client.next_deadline() <= now || server.next_deadline() <= now; ++calls) turn();
    drain_notices();
    return calls;
  }
  void expect_bounded() {
    EXPECT_LE(client.most_work(), Work::limit);
    EXPECT_LE(server.most_work(), Work::limit);
  }

 private:
  void accept_all() {
    settle();
    while (const auto id = server.accept(listener)) servers_.push_back(*id);
    drain_notices();
  }
  std::vector<ConnectionId> clients_, servers_;
};

TEST(BoundedWork, Connections_open_and_close_and_their_TIME_WAIT_records_expire_all_together) {
  const std::size_t count = crowd_size();
  Crowd crowd;
  crowd.open_all(1);  // The queues have their first chunks.
  crowd.close_all();
  crowd.now += 61s;
  crowd.poll_until_calm();
  const auto heap = bench::heap_bytes();
  const auto books = crowd.client.memory() + crowd.server.memory();
  crowd.open_all(count);
  crowd.close_all();
  EXPECT_EQ(crowd.client.snapshot(crowd.now).time_wait.size(), count);
  crowd.now += 61s;
  EXPECT_GE(crowd.poll_until_calm(), count / Work::limit);
  EXPECT_TRUE(crowd.client.snapshot(crowd.now).time_wait.empty());
  EXPECT_TRUE(crowd.server.snapshot(crowd.now).connections.empty());
  crowd.expect_bounded();
  EXPECT_EQ(crowd.client.memory() + crowd.server.memory(), books);
  crowd.pool.trim();
  EXPECT_LE(bench::heap_bytes() - heap, 1 << 20);
}

TEST(BoundedWork, Timers_of_a_crowd_that_are_due_at_once_run_in_many_calls) {
  Crowd crowd;
  const std::size_t count = crowd_size() / 2;
  for (std::size_t n = 0; n < count; ++n) {
    crowd.connect();
    if (n % 32 == 31) crowd.client.poll_transmit(crowd.out, crowd.now), crowd.out.discard();
  }
  crowd.now += 1100ms;  // Nobody answered: all SYNs are due.
  while (crowd.client.next_deadline() <= crowd.now) {
    crowd.client.poll_transmit(crowd.out, crowd.now);
    crowd.out.discard();
  }
  crowd.expect_bounded();
  EXPECT_EQ(crowd.client.log().counters()[Reason::retransmit_timeout], count);
}

TEST(BoundedWork, A_listener_with_a_crowd_is_closed_step_by_step) {
  Crowd crowd;
  const auto books = crowd.server.memory();
  constexpr std::size_t each = 5000;
  for (std::size_t n = 0; n < each; ++n) {  // These wait for accept().
    crowd.connect();
    if (n % 1000 == 999) crowd.settle();
  }
  for (std::size_t n = 0; n < each; ++n) {  // And these stay half open.
    crowd.connect();
    if (n % 32 != 31) continue;
    if (n % 800 == 799) crowd.now += 1s;  // One network gets so many SYN-ACKs a second.
    crowd.client_to_server();
    crowd.server.poll_transmit(crowd.back, crowd.now);
    crowd.back.discard();
  }
  ASSERT_GT(crowd.server.status(crowd.listener)->half_open, each / 2);
  ASSERT_GE(crowd.server.status(crowd.listener)->accept_queue, each);
  ASSERT_TRUE(crowd.server.close(crowd.listener, crowd.now));
  EXPECT_FALSE(crowd.server.status(crowd.listener));
  EXPECT_TRUE(crowd.server.listeners(crowd.now).empty());
  EXPECT_TRUE(crowd.server.listen({{}, bench::service_port}, {}, crowd.now)) << "the port is free";
  EXPECT_LE(crowd.server.next_deadline(), crowd.now) << "there is more to do";
  while (crowd.server.next_deadline() <= crowd.now) {
    crowd.server.poll_transmit(crowd.back, crowd.now);
    crowd.back.discard();
  }
  crowd.expect_bounded();
  const auto left = crowd.server.snapshot(crowd.now);
  EXPECT_TRUE(left.connections.empty());
  EXPECT_TRUE(left.half_open.empty());
  EXPECT_EQ(left.listeners.size(), 1u);
  EXPECT_EQ(crowd.server.memory(), books);
}

TEST(BoundedWork, A_half_open_peer_of_a_listener_that_was_closed_meets_the_next_listener) {
  Crowd crowd;
  for (int n = 0; n < 5000; ++n) {
    crowd.connect();
    if (n % 32 == 31) crowd.client_to_server();
  }
  crowd.client_to_server();
  ASSERT_TRUE(crowd.server.close(crowd.listener, crowd.now));
  const auto next = crowd.server.listen({{}, bench::service_port}, {}, crowd.now);
  ASSERT_TRUE(next);
  crowd.settle();  // The ACKs of those whose SYN-ACKs went out: none opens anything here.
  EXPECT_EQ(crowd.server.status(*next)->accepted, 0u);
  crowd.expect_bounded();
}

TEST(BoundedWork, Notices_of_connections_that_are_gone_are_passed_over_in_many_calls) {
  Crowd crowd;
  std::vector<ConnectionId> ids;
  for (int n = 0; n < 5000; ++n) {
    ids.push_back(crowd.connect());
    if (n % 500 == 499) crowd.settle();
  }  // Each has `connected` to tell.
  const auto last = ids.back();
  ids.pop_back();
  for (const auto id : ids) ASSERT_TRUE(crowd.client.abort(id, crowd.now));
  Notice notice;
  EXPECT_FALSE(crowd.client.next_notice(notice));
  int calls = 0;
  for (; crowd.client.next_deadline() <= crowd.now; ++calls) {  // There is more to look at.
    ASSERT_LT(calls, 100);
    crowd.client.poll_transmit(crowd.out, crowd.now);
    crowd.out.discard();
  }
  EXPECT_GT(calls, 2);
  ASSERT_TRUE(crowd.client.next_notice(notice));
  EXPECT_EQ(notice.connection, last);
  EXPECT_FALSE(crowd.client.next_notice(notice));
  crowd.expect_bounded();
}

TEST(BoundedWork, Many_listeners_leave_STATELESS_in_many_calls) {
  Crowd crowd;
  constexpr std::uint16_t listeners = 300;
  const Address address = crowd.server.listeners(crowd.now)[0].local.address;
  for (std::uint16_t n = 0; n < listeners; ++n)
    ASSERT_TRUE(crowd.server.listen({address, Port{std::uint16_t(20000 + n)}},
                                    {.half_open_limit = 2, .rules = {}, .options = {}}, crowd.now));
  for (int syns = 0; syns < 3; ++syns)
    for (std::uint16_t n = 0; n < listeners; ++n) {
      ASSERT_TRUE(crowd.client.connect(
          {.remote = {address, Port{std::uint16_t(20000 + n)}}, .local = {}, .options = {}},
          crowd.now));
      if (n % 10 == 9) {
        crowd.client_to_server();
        crowd.server.poll_transmit(crowd.back, crowd.now);
        crowd.back.discard();
      }
    }
  const auto stateless = [&] {
    return std::ranges::count_if(crowd.server.listeners(crowd.now), [](const ListenerInfo& l) {
      return l.mode == SynMode::stateless;
    });
  };
  EXPECT_EQ(stateless(), listeners);
  for (const Instant end = crowd.now + 90s; crowd.now < end;) {
    crowd.now = std::clamp(crowd.server.next_deadline(), crowd.now, end);
    crowd.server.poll_transmit(crowd.back, crowd.now);
    crowd.back.discard();
  }
  EXPECT_EQ(stateless(), 0);
  crowd.expect_bounded();
}

}  // namespace
}  // namespace estab
