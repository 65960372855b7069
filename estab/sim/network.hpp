// SPDX-License-Identifier: Apache-2.0
// A virtual network: stacks joined pairwise by faulty paths, under one virtual clock and one seed.
// Same configuration, same calls: same packets.
#pragma once
#include <deque>
#include <memory>
#include <vector>

#include "estab/fault/path.hpp"
#include "estab/sim/invariants.hpp"

namespace estab::sim {

struct NetworkConfig {
  std::vector<StackConfig> nodes;  // One stack each, 200 at the most.
  fault::Impairment impairment;    // Of every path; its seed is not used.
  std::uint32_t mtu = 1500;
  std::uint32_t largest_segment = 1500;  // Over the MTU: super-segments travel whole.
  std::uint64_t seed = 1;
  std::uint32_t keep = 0;  // Octets of each packet that events keep.
};

class Network {
 public:
  explicit Network(const NetworkConfig& config);
  Network(const Network&) = delete;

  // Each node has one address of each family.
  [[nodiscard]] static Address address(std::size_t node, bool v6);
  [[nodiscard]] std::size_t nodes() const { return nodes_.size(); }
  [[nodiscard]] Stack& stack(std::size_t node) { return nodes_[node]->stack; }
  [[nodiscard]] Instant now() const { return now_; }
  [[nodiscard]] PacketPool& pool() { return pool_; }

  // The next moment at which something is due below the programs; `never`: all is quiet.
  [[nodiscard]] Instant next_deadline() const;
  // Goes to `to`, which is not past next_deadline(): packets arrive, timers run, packets leave.
  void advance(Instant to);
  // Sends what the programs' calls have left owed.
  void transmit();
  // What the paths did to the packets, all together.
  [[nodiscard]] fault::FaultCounters faults() const;
  // What left that must never leave; empty: nothing.
  [[nodiscard]] const std::string& violation() const { return violation_; }
  // Packets that are under way.
  [[nodiscard]] std::size_t waiting() const;

 private:
  struct Node : PacketSink {
    Node(Network& owner, std::size_t number, const StackConfig& config, const Secrets& secrets);
    bool ready(std::uint8_t) override { return true; }
    void transmit(Packet packet) override;
    Network& network;
    std::size_t index;
    Stack stack;
    std::deque<fault::FaultyPath> to;  // By destination; they do not move.
    std::vector<Packet> arrived;
  };

  PacketPool pool_;
  Instant now_{};
  std::uint32_t mtu_;
  std::string violation_;
  std::vector<std::unique_ptr<Node>> nodes_;
};

}  // namespace estab::sim
