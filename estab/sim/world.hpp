// SPDX-License-Identifier: Apache-2.0
// A world: a network, programs that use it, and what must hold after each event. Everything comes
// from one seed.
//   - Each octet read is the one that was written there; at the peer's end, all of them came.
//   - On paths that lose and change nothing, nothing fails that the programs did not break.
//   - Flight stays within the peer's window, and within cwnd (with RFC 3042's two segments) while
//     no loss was seen.
//   - All of invariants.hpp: datagrams within the MTU, cwnd of a segment or more, a deadline for
//   who
//     waits, offered windows that are honoured, books that agree with each other.
//   - No program waits in vain; at the end no connection, half-open or TIME-WAIT record is left,
//     and the pool holds what it held before.
#pragma once
#include <functional>
#include <memory>
#include <queue>
#include <string>

#include "estab/sim/end.hpp"
#include "estab/sim/network.hpp"

namespace estab::sim {

struct WorldConfig {
  std::uint64_t seed = 1;
  unsigned connections = 100;  // At most 20,000.
  unsigned nodes = 3;          // At least 2.
  fault::Impairment worst{.loss = 0.2, .duplicate = 0.2, .corrupt = 0.2, .reorder = 0.2};
  // Each probability is drawn between 0 and this.
  std::uint32_t most_octets = 300000;  // One end writes at the most.
  std::uint32_t keep = 0;              // Octets of each packet for the observer.
  std::function<void(const Event&, Bytes)> observe;
};

struct WorldResult {
  std::string violation;                             // Empty: all held.
  std::uint64_t complete = 0, left = 0, failed = 0;  // Ends.
  std::uint64_t octets = 0;                          // Read and checked.
  std::uint64_t events = 0;
  fault::Impairment impairment;  // As drawn.
  fault::FaultCounters faults;
  Duration took{};  // In the world's time.
};

// Runs it to its end, or to the first violation.
[[nodiscard]] WorldResult run_world(const WorldConfig& config);

}  // namespace estab::sim
