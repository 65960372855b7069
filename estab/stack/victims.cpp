// SPDX-License-Identifier: Apache-2.0
#include "estab/stack/victims.hpp"

#include <algorithm>
#include <queue>
#include <tuple>

namespace estab {
namespace {

std::uint64_t claim(const Candidate& c) { return c.weight * (std::uint64_t{c.overdue} + 1); }

// One network's candidates, the longest without progress first.
struct Network {
  std::uint64_t claims;
  std::span<const Candidate> left;
  // The one that loses next is the greatest.
  friend bool operator<(const Network& a, const Network& b) {
    return std::tuple(a.claims, a.left.front().overdue) <
           std::tuple(b.claims, b.left.front().overdue);
  }
};

}  // namespace

std::vector<std::uint32_t> choose_victims(std::span<Candidate> all, std::uint64_t wanted,
                                          std::uint32_t patience, std::size_t most) {
  std::ranges::sort(all, [](const Candidate& a, const Candidate& b) {
    return std::tuple(a.network, b.overdue, a.index) < std::tuple(b.network, a.overdue, b.index);
  });
  std::priority_queue<Network> networks;
  for (auto begin = all.begin(); begin != all.end();) {
    std::uint64_t claims = 0;
    auto end = begin;
    for (; end != all.end() && end->network == begin->network; ++end) claims += claim(*end);
    networks.push({claims, {begin, end}});
    begin = end;
  }
  std::vector<std::uint32_t> victims;
  for (std::uint64_t freed = 0; freed < wanted && !networks.empty() && victims.size() < most;) {
    Network first = networks.top();
    networks.pop();
    const Candidate& victim = first.left.front();
    if (victim.overdue < patience) break;  // No other loses one for it.
    victims.push_back(victim.index);
    freed += victim.weight;
    first.claims -= claim(victim);
    first.left = first.left.subspan(1);
    if (!first.left.empty()) networks.push(first);
  }
  return victims;
}

}  // namespace estab
