// SPDX-License-Identifier: Apache-2.0
// One bulk transfer between two stacks in virtual time, over a bottleneck with a queue, a delay and
// outages. Deterministic: the same configuration gives the same packets.
#pragma once
#include <string>
#include <vector>

#include "estab/fault/path.hpp"
#include "estab/sim/invariants.hpp"

namespace estab::sim {

struct TransferConfig {
  std::uint64_t bytes = 1'000'000;
  Duration rtt = 20ms;
  std::uint64_t rate = 100'000'000;  // Bits a second, of IP datagrams, each way.
  std::uint32_t queue = 1000;        // Datagrams that wait at the bottleneck.
  std::uint32_t mtu = 1500;
  // Nothing passes, either way, while one lasts; times count from the first SYN.
  struct Outage {
    Duration begin{}, length{};
  };
  std::vector<Outage> outages;
  std::vector<std::uint64_t> lost;  // Data segments that vanish, by the order in which they left.
  StackConfig stack;                // Of both ends.
  Duration longest = 300s;          // Then it is given up.
};

struct TransferResult {
  std::string violation;    // Of what must hold of every stack; empty: nothing.
  bool complete = false;    // Each byte was read, in order and unchanged, and the end after it.
  Duration took{};          // From the SYN to the last byte read.
  std::uint64_t sent = 0;   // Data segments that left the sender.
  std::uint64_t again = 0;  // Of them: sent again.
  std::uint64_t by_timeout = 0;      // Of those: because a retransmission timeout had run out.
  std::uint64_t overflowed = 0;      // Datagrams that found the queue full.
  std::uint64_t largest_flight = 0;  // Bytes.
};

[[nodiscard]] TransferResult transfer(const TransferConfig& config);

// Datagrams of the MTU that fill the path once: rate times RTT.
[[nodiscard]] inline std::uint32_t bandwidth_delay_product(const TransferConfig& config) {
  const auto seconds = std::chrono::duration<double>(config.rtt).count();
  return std::uint32_t(double(config.rate) * seconds / 8 / config.mtu) + 1;
}

}  // namespace estab::sim
