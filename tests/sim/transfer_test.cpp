// SPDX-License-Identifier: Apache-2.0
// Bulk transfers in virtual time: how long they take after an outage, and what a full queue costs.
#include "transfer.hpp"

#include "tests/seeds.hpp"

namespace estab::sim {
namespace {

TransferResult run(const TransferConfig& config) {
  const auto result = transfer(config);
  EXPECT_EQ(result.violation, "");
  EXPECT_TRUE(result.complete) << result.took / 1ms << " ms";
  return result;
}

// RTT 100 ms, 100 Mbit/s, 900 kB, and no queue that overflows.
TransferConfig file_of_900_kb() { return {.bytes = 900'000, .rtt = 100ms, .queue = 100'000}; }

// A queue in front of the bottleneck that holds what the path holds, times `factor`.
TransferConfig with_queue(std::uint64_t bytes, Duration rtt, unsigned factor) {
  TransferConfig config{.bytes = bytes, .rtt = rtt};
  config.queue = factor * bandwidth_delay_product(config);
  return config;
}

// Windows that no buffer limits: slow start goes on until the queue is full.
TransferConfig with_large_buffers(TransferConfig config) {
  auto& tcp = config.stack.tcp;
  tcp.defaults.send_buffer = tcp.defaults.receive_buffer = 8 << 20;
  // Half of a flight is lost then, every second segment: as many holes.
  [](auto& settings) {
    if constexpr (requires { settings.reassembly_ranges; }) settings.reassembly_ranges = 65535;
  }(tcp);
  return config;
}

std::string words(const TransferConfig& config) {
  return std::to_string(config.bytes) + " bytes, RTT " + std::to_string(config.rtt / 1ms) +
         " ms, a queue of " + std::to_string(config.queue);
}

TEST(Transfer, Without_loss_nothing_is_sent_again) {
  for (const Duration rtt : {10ms, 20ms, 100ms, 300ms}) {
    const TransferConfig config{.bytes = 3'000'000, .rtt = rtt, .queue = 100'000};
    const auto result = run(config);
    EXPECT_EQ(result.again, 0u) << words(config);
    EXPECT_EQ(result.overflowed, 0u) << words(config);
  }
}

TEST(Transfer, The_same_configuration_is_the_same_transfer) {
  const auto config = with_queue(3'000'000, 20ms, 1);
  const auto one = run(config), two = run(config);
  EXPECT_EQ(one.took, two.took);
  EXPECT_EQ(one.sent, two.sent);
  EXPECT_EQ(one.overflowed, two.overflowed);
}

TEST(Transfer, After_an_outage_of_300_ms_near_its_end_900_kB_arrive_within_2500_ms) {
  const auto clean = run(file_of_900_kb());
  for (int percent = 82; percent <= 100; ++percent) {
    auto config = file_of_900_kb();
    config.outages = {{clean.took * percent / 100, 300ms}};
    EXPECT_LE(run(config).took, 2500ms) << "it begins at " << percent << " %";
  }
}

// The timer of the outage's length and its doubling, then slow start from one segment: none of it
// takes one round trip a segment.
TEST(Transfer, After_any_outage_it_ends_within_a_few_round_trips) {
  for (const Duration rtt : {10ms, 50ms, 100ms, 300ms})
    for (const std::uint64_t bytes : {100'000, 900'000, 3'000'000}) {
      TransferConfig config{.bytes = bytes, .rtt = rtt, .queue = 100'000};
      const auto clean = run(config).took;
      for (const Duration outage : {100ms, 300ms, 1000ms})
        for (const int percent : {75, 79, 83, 87, 91, 95, 99}) {
          config.outages = {{clean * percent / 100, outage}};
          EXPECT_LE(run(config).took, clean + 2 * outage + 600ms + 20 * rtt)
              << words(config) << ", clean in " << clean / 1ms << " ms, " << outage / 1ms
              << " ms from " << percent << " % on";
        }
    }
}

// 10 MB, RTT 20 ms, 100 Mbit/s, and others like it.
TEST(Transfer, A_full_queue_of_one_round_trip_costs_at_most_20_segments_sent_again_by_timeout) {
  for (const Duration rtt : {10ms, 20ms, 50ms, 100ms, 300ms})
    for (const std::uint64_t bytes : {1'000'000, 3'000'000, 10'000'000})
      for (const unsigned factor : {1, 2}) {
        const auto config = with_queue(bytes, rtt, factor);
        EXPECT_LE(run(config).by_timeout, 20u) << words(config);
        const auto large = with_large_buffers(config);
        EXPECT_LE(run(large).by_timeout, 20u) << words(config) << ", large buffers";
      }
}

TEST(Transfer, Each_single_segment_that_is_lost_is_sent_again_once_and_soon) {
  for (const Duration rtt : {10ms, 100ms}) {
    TransferConfig config{.bytes = 300'000, .rtt = rtt, .queue = 100'000};
    const auto clean = run(config);
    for (std::uint64_t lost = 0; lost < clean.sent; lost += 7) {
      config.lost = {lost};
      const auto result = run(config);
      EXPECT_LE(result.again, lost + 4 < clean.sent ? 1u : 2u) << "segment " << lost;
      EXPECT_LE(result.took, clean.took + 600ms + 12 * rtt) << "segment " << lost;
    }
  }
}

}  // namespace
}  // namespace estab::sim
