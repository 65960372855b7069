// SPDX-License-Identifier: Apache-2.0
#include "estab/sim/network.hpp"

#include <algorithm>
#include <stdexcept>

#include "estab/base/random.hpp"
#include "estab/wire/ip.hpp"

namespace estab::sim {
namespace {

Secrets draw_secrets(Random& random) {
  const auto key = [&] { return HashKey{random(), random()}; };
  return {.initial_sequence = key(),
          .ports = key(),
          .timestamps = key(),
          .table = key(),
          .cookies = {{key(), key()}}};
}

}  // namespace

Network::Node::Node(Network& owner, std::size_t number, const StackConfig& config,
                    const Secrets& secrets)
    : network(owner), index(number), stack(owner.pool_, config, secrets) {}

void Network::Node::transmit(Packet packet) {
  const auto ip = wire::parse_ip(packet.linear(), packet.size());
  assert(ip);
  if (auto wrong = check_datagram(packet, network.mtu_); network.violation_.empty())
    network.violation_ = std::move(wrong);
  const std::size_t destination = ip->destination.octets()[15] - 1u;
  const bool here = destination < network.nodes_.size() &&
                    ip->destination == address(destination, !ip->destination.is_v4());
  if (!here) return;  // Nobody is there.
  to[destination].push(network.pool_, std::move(packet), network.now_);
}

Network::Network(const NetworkConfig& config) : mtu_(config.mtu) {
  Random random{config.seed};
  for (std::size_t i = 0; i < config.nodes.size(); ++i) {
    const auto secrets = draw_secrets(random);
    auto& node = *nodes_.emplace_back(std::make_unique<Node>(*this, i, config.nodes[i], secrets));
    node.stack.add_interface({.addresses = {{address(i, false), 24}, {address(i, true), 64}},
                              .mtu = config.mtu,
                              .largest_segment = config.largest_segment});
    node.stack.log().enable(config.keep);
    for (std::size_t k = 0; k < config.nodes.size(); ++k) {
      auto impairment = config.impairment;
      impairment.seed = random();
      node.to.emplace_back(impairment, i * config.nodes.size() + k);
    }
  }
}

Address Network::address(std::size_t node, bool v6) {
  const auto last = std::uint8_t(node + 1);
  if (!v6) return Address::v4(10, 0, 0, last);
  return Address::v6({0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last});
}

Instant Network::next_deadline() const {
  Instant next = never;
  for (const auto& node : nodes_) {
    next = std::min(next, node->stack.next_deadline());
    for (const auto& path : node->to) next = std::min(next, path.next_deadline());
  }
  return std::max(next, now_);
}

void Network::advance(Instant to) {
  now_ = std::max(now_, to);
  for (auto& from : nodes_)
    for (std::size_t k = 0; k < nodes_.size(); ++k)
      while (auto packet = from->to[k].pop(now_)) {
        packet->interface() = 0;
        packet->offload() = {};
        nodes_[k]->arrived.push_back(std::move(*packet));
      }
  for (auto& node : nodes_) {
    if (!node->arrived.empty()) node->stack.receive(node->arrived, now_);
    node->arrived.clear();
  }
  transmit();
}

void Network::transmit() {
  for (auto& node : nodes_)
    if (!node->stack.poll_transmit(*node, now_))
      throw std::logic_error("poll_transmit stopped although the sink was ready");
}

fault::FaultCounters Network::faults() const {
  fault::FaultCounters all;
  for (const auto& node : nodes_)
    for (const auto& path : node->to) {
      const auto& one = path.counters();
      all.pushed += one.pushed, all.lost += one.lost, all.overflowed += one.overflowed;
      all.duplicated += one.duplicated, all.corrupted += one.corrupted;
      all.reordered += one.reordered, all.delivered += one.delivered;
    }
  return all;
}

std::size_t Network::waiting() const {
  std::size_t count = 0;
  for (const auto& node : nodes_)
    for (const auto& path : node->to) count += path.waiting();
  return count;
}

}  // namespace estab::sim
