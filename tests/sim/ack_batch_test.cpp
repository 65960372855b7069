// SPDX-License-Identifier: Apache-2.0
// ACKs that arrive in one batch open the window as far as the same ACKs one by one.
#include <algorithm>

#include "tests/scripts/conversation.hpp"
#include "tests/seeds.hpp"

namespace estab::script {
namespace {

constexpr std::uint32_t mss = 1460;

struct Sender {
  Sender() : c({.tcp = config()}) {
    c.open_passive("win 65535 <mss 1460,sackOK,nop,nop,nop,wscale 7>");
  }
  static tcp::Config config() {
    auto config = full();
    config.timestamps = false;
    return config;
  }
  void write(std::uint32_t bytes) {
    c.user_send(bytes);
    take();
  }
  // What left: its end is to be acknowledged later.
  void take() {
    for (const auto& segment : c.take_sent())
      if (segment.length > 0) ends.push_back(segment.seq + segment.length);
  }
  [[nodiscard]] static std::string ack(std::uint32_t number) {
    return ". 1:1 ack " + std::to_string(number) + " win 65535";
  }
  void acknowledge(const std::vector<std::uint32_t>& numbers, bool at_once) {
    std::erase_if(ends, [&](std::uint32_t end) { return end <= numbers.back(); });
    if (at_once) {
      std::vector<std::string> batch;
      for (const auto number : numbers) batch.push_back(ack(number));
      c.peer_batch(batch);
      take();
      return;
    }
    for (const auto number : numbers) {
      c.peer(ack(number));
      take();
    }
  }

  Conversation c;
  std::vector<std::uint32_t> ends;  // Of the segments in flight.
};

// The ACKs of all that is in flight: each for one segment, or for some of them.
std::vector<std::uint32_t> draw_acks(Random& random, const std::vector<std::uint32_t>& ends,
                                     std::uint32_t most) {
  std::vector<std::uint32_t> acks;
  for (std::size_t at = 0; at < ends.size();) {
    at = std::min<std::size_t>(ends.size(), at + between(random, 1, most));
    acks.push_back(ends[at - 1]);
  }
  return acks;
}

// One round trip: all that is in flight is acknowledged, to both senders by the same ACKs.
void round_trip(Random& random, Sender& together, Sender& singly, std::uint32_t most) {
  ASSERT_EQ(together.ends, singly.ends);
  ASSERT_FALSE(together.ends.empty());
  const auto acks = draw_acks(random, together.ends, most);
  together.c.run(20ms);
  singly.c.run(20ms);
  together.acknowledge(acks, true);
  singly.acknowledge(acks, false);
  ASSERT_EQ(together.c.status().cwnd, singly.c.status().cwnd) << acks.size() << " ACKs";
}

TEST(AckBatch, Opens_the_window_in_slow_start_as_far_as_the_same_ACKs_one_by_one) {
  for_each_seed(20, [](Random& random) {
    Sender together, singly;
    const auto most = between(random, 1, 3);
    for (Sender* s : {&together, &singly}) s->write(2'000 * mss);
    const auto before = together.c.status().cwnd;
    for (int n = 0; n < 5 && !testing::Test::HasFailure(); ++n)
      round_trip(random, together, singly, most);
    if (most <= 2) { EXPECT_GE(together.c.status().cwnd, 16 * before) << "it doubles each time"; }
  });
}

TEST(AckBatch, Opens_the_window_in_avoidance_as_far_as_the_same_ACKs_one_by_one) {
  for_each_seed(20, [](Random& random) {
    Sender together, singly;
    for (Sender* s : {&together, &singly}) {
      s->write(2'000 * mss);
      // The first of ten is lost; the SACKs of the others tell. Then all is there.
      const auto first = s->ends.front();
      for (std::size_t n = 1; n < 10; ++n) {
        s->c.peer(". 1:1 ack 1 win 65535 <nop,nop,sack " + std::to_string(first) + ":" +
                  std::to_string(1 + (n + 1) * mss) + ">");
        s->take();
      }
      // The retransmission is acknowledged with all that had left before it.
      std::ranges::sort(s->ends);
      s->ends.erase(std::ranges::unique(s->ends).begin(), s->ends.end());
      s->c.run(20ms);
      s->acknowledge({s->ends.back()}, false);
    }
    const auto before = together.c.status().cwnd;
    ASSERT_GE(before, together.c.status().ssthresh);
    for (int n = 0; n < 20 && !testing::Test::HasFailure(); ++n)
      round_trip(random, together, singly, between(random, 1, 3));
    EXPECT_GE(together.c.status().cwnd, before + 10 * mss) << "a segment each round trip or so";
  });
}

TEST(AckBatch, Opens_the_window_of_a_program_that_writes_just_about_cwnd) {
  for (const bool at_once : {true, false})
    for (const std::uint32_t missing : {0u, 1u, mss, 2 * mss}) {
      SCOPED_TRACE(testing::Message()
                   << (at_once ? "a batch" : "one by one") << ", " << missing << " bytes less");
      Sender s;
      for (std::uint32_t n = 0; n < 3 && !testing::Test::HasFailure(); ++n) {
        const auto before = s.c.status().cwnd;
        const auto written = before - missing;
        s.write(written);
        s.c.run(100ms);  // The last segment is a partial one.
        s.take();
        s.acknowledge(std::vector(s.ends), at_once);
        EXPECT_GE(s.c.status().cwnd, before + written - 2 * mss);
      }
    }
}

}  // namespace
}  // namespace estab::script
