// SPDX-License-Identifier: Apache-2.0
// What 100,000 connections leave behind on the heap, however they end: nothing.
#include <gtest/gtest.h>

#include <array>
#include <memory>

#include "estab/sim/invariants.hpp"
#include "heap.hpp"
#include "pair.hpp"

namespace estab {
namespace {

// Connections of every fate on one pair of stacks.
class Fates : public bench::Pair {
 public:
  // A hundred or so of each are under way at once; then all their timers run out.
  void crowd(std::size_t count) {
    for (std::size_t n = 0; n < count; ++n) live(n % 7);
    for (auto* stack : {&client, &server}) EXPECT_EQ(sim::check_stack(*stack, now), "");
    for (int waits = 0; client.next_deadline() != never || server.next_deadline() != never;) {
      ASSERT_LT(++waits, 10'000) << "something is never over";
      now = std::max(now, std::min(client.next_deadline(), server.next_deadline()));
      settle();
    }
    drain_notices();
    pool.trim();
  }

  void expect_nobody() {
    for (auto* stack : {&client, &server}) {
      const auto left = stack->snapshot(now);
      EXPECT_TRUE(left.connections.empty());
      EXPECT_TRUE(left.half_open.empty());
      EXPECT_TRUE(left.time_wait.empty());
    }
  }

 private:
  void live(std::size_t fate) {
    if (fate == 0) return refused();
    if (fate == 1) return abandoned();
    const auto [c, s] = open();
    converse(client, c, server, s);
    converse(server, s, client, c);
    switch (fate) {
      case 2: closed(client, c, server, s); break;
      case 3: closed(server, s, client, c); break;
      case 4: aborted(client, c, server, s); break;
      case 5: aborted(server, s, client, c); break;
      case 6:  // Both at once.
        must(client.close(c, now));
        must(server.close(s, now));
        break;
    }
    settle();
    drain_notices();
  }

  void refused() {
    const auto id = client.connect({.remote = {nobody(), Port{9}}}, now);
    ASSERT_TRUE(id);
    settle();
    must(client.close(*id, now));
  }

  // The SYN-ACK finds nobody, and the reset that says so is lost: the record has to expire.
  void abandoned() {
    const auto id = connect();
    client_to_server();
    server.poll_transmit(back, now);
    back.discard();
    must(client.abort(id, now));
    client.poll_transmit(out, now);
    out.discard();
  }

  void converse(Stack& from, ConnectionId f, Stack& to, ConnectionId t) {
    std::array<std::byte, 3000> text{};
    EXPECT_EQ(from.send(f, text, {}, now), text.size());
    settle();
    EXPECT_EQ(to.receive(t, text, now), text.size());
  }
  void closed(Stack& first, ConnectionId f, Stack& second, ConnectionId s) {
    must(first.close(f, now));
    settle();
    must(second.close(s, now));
  }
  // With text under way, both ways.
  void aborted(Stack& first, ConnectionId f, Stack& second, ConnectionId s) {
    std::array<std::byte, 3000> text{};
    EXPECT_TRUE(first.send(f, text, {}, now));
    EXPECT_TRUE(second.send(s, text, {}, now));
    client_to_server();
    must(first.abort(f, now));
    settle();
    must(second.close(s, now));
  }
  static void must(const std::expected<void, Error>& done) {
    EXPECT_TRUE(done) << message(done ? Error::none : done.error());
  }
  [[nodiscard]] Address nobody() const { return server.snapshot(now).listeners[0].local.address; }
};

TEST(LiveBytes, return_to_what_they_were_after_100_000_connections) {
  constexpr std::size_t crowd = 1000;
  Fates fates;
  fates.crowd(crowd);  // Tables grow to the size that this crowd needs, and keep it.
  fates.expect_nobody();
  const auto books = fates.client.memory() + fates.server.memory();
  const auto heap = bench::heap_bytes();
  for (std::size_t lived = 0; lived < 100'000 && !testing::Test::HasFailure(); lived += crowd)
    fates.crowd(crowd);
  fates.expect_nobody();
  EXPECT_EQ(fates.client.memory() + fates.server.memory(), books);
  EXPECT_EQ(bench::heap_bytes(), heap);
  const auto kept = std::make_unique<std::array<std::byte, 1000>>();
  EXPECT_GE(bench::heap_bytes(), heap + 1000) << "the heap does not count";
}

}  // namespace
}  // namespace estab
