// SPDX-License-Identifier: Apache-2.0
// The receive queue beside a std::string.
#include "estab/tcp/receive_queue.hpp"

#include "queue_parts.hpp"

namespace estab::tcp {
namespace {

// `linear`: packets that share nothing, whose true size is therefore what the pool gave out.
void compare(Random& random, bool linear) {
  PacketPool pool;
  ReceiveQueue queue;
  std::string model;
  for (int n = 0; n < 800 && !testing::Test::HasFailure(); ++n) {
    if (random.chance(0.5) && model.size() < 500'000) {
      const auto longest = random.chance(0.2) ? 60'000u : random.chance(0.5) ? 1'460u : 40u;
      const auto text = random_string(random, between(random, 1, longest));
      // Headers stood in front of it; they are cut off, as the stack does.
      Packet packet =
          linear ? linear_packet(pool, "header" + text) : any_packet(pool, random, "header" + text);
      packet.pull_front(6);
      queue.push(pool, std::move(packet));
      model += text;
    } else {
      const auto most = random.chance(0.3) ? 100'000u : random.chance(0.5) ? 2'000u : 10u;
      std::string out(between(random, 0, most), '\0');
      const auto read = queue.read(std::as_writable_bytes(std::span{out}));
      ASSERT_EQ(read, std::min(out.size(), model.size()));
      ASSERT_EQ(out.substr(0, read), model.substr(0, read));
      model.erase(0, read);
    }
    EXPECT_EQ(queue.size(), model.size());
    EXPECT_EQ(queue.true_size() == 0, model.empty());
    EXPECT_GE(queue.true_size(), queue.size());
    if (linear) { EXPECT_EQ(queue.true_size(), pool.live_bytes()) << "the books"; }
  }
  queue.clear();
  EXPECT_EQ(queue.size(), 0u);
  EXPECT_EQ(queue.true_size(), 0u);
  EXPECT_EQ(pool.live_bytes(), 0u);
}

TEST(ReceiveQueue, Gives_back_in_order_what_a_string_would_hold) {
  for_each_seed(40, [](Random& random) { compare(random, false); });
}

TEST(ReceiveQueue, Its_true_size_is_what_the_pool_gave_out) {
  for_each_seed(40, [](Random& random) { compare(random, true); });
}

TEST(ReceiveQueue, A_stream_of_single_bytes_costs_at_most_four_times_its_text) {
  PacketPool pool;
  ReceiveQueue queue;
  constexpr std::uint32_t count = 20'000;
  for (std::uint32_t n = 0; n < count; ++n) {
    Packet packet = linear_packet(pool, std::string(1460, 'x'));
    packet.truncate(1);
    queue.push(pool, std::move(packet));
  }
  EXPECT_EQ(queue.size(), count);
  EXPECT_LE(queue.true_size(), 4 * count);
  EXPECT_LE(pool.live_bytes(), 4 * count);
  queue.clear();
}

}  // namespace
}  // namespace estab::tcp
