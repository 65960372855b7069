// SPDX-License-Identifier: Apache-2.0
#include "estab/observe/failure_spread.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <span>

#include "estab/base/known_prefixes.hpp"

namespace estab::observe {
namespace {

using Failures = std::span<const FailedHandshake>;

// Sources are sorted, so those of one network stand together: f(network, weight) for each.
template <class Network, class F>
void for_each_network(Failures sorted, Network&& network_of, F&& f) {
  for (std::size_t i = 0; i < sorted.size();) {
    const Address network = network_of(sorted[i].source);
    double weight = 0;
    for (; i < sorted.size() && network_of(sorted[i].source) == network; ++i)
      weight += sorted[i].weight;
    f(network, weight);
  }
}

Address host_of(const Address& source) { return source.is_v4() ? source : source.prefix(64); }

void count_hosts(Failures sorted, double total, FailureSpread& spread) {
  std::array<double, 16> all{};
  const auto busiest = std::span{all}.first(std::clamp<std::size_t>(sorted.size() / 4, 1, 16));
  for_each_network(sorted, host_of, [&](const Address& host, double weight) {
    ++spread.sources;
    if (weight / total > spread.top_host_share)
      spread.top_host = host, spread.top_host_share = weight / total;
    auto& least = *std::ranges::min_element(busiest);
    least = std::max(least, weight);
  });
  spread.top_hosts = std::min(unsigned(busiest.size()), spread.sources);
  spread.top_hosts_share = std::accumulate(busiest.begin(), busiest.end(), 0.0) / total;
}

void count_prefixes(Failures sorted, double total, FailureSpread& spread) {
  double entropy = 0;
  for_each_network(sorted, source_prefix, [&](const Address&, double weight) {
    ++spread.prefixes;
    entropy -= weight / total * std::log2(weight / total);
  });
  if (sorted.size() > 1) spread.prefix_entropy = entropy / std::log2(double(sorted.size()));
}

struct Busiest {
  Prefix prefix;
  double share = 0;
};

Busiest busiest_prefix(Failures sorted, double total, unsigned v4_length) {
  constexpr unsigned v6_length = 48;
  Busiest busiest;
  const auto network = [&](const Address& a) {
    return a.prefix(a.is_v4() ? v4_length : v6_length);
  };
  for_each_network(sorted, network, [&](const Address& address, double weight) {
    const auto length = address.is_v4() ? v4_length : v6_length;
    if (weight / total > busiest.share) busiest = {{address, std::uint8_t(length)}, weight / total};
  });
  return busiest;
}

void find_top_prefix(Failures sorted, double total, FailureSpread& spread) {
  const auto longest = busiest_prefix(sorted, total, 24);
  auto top = longest;
  for (unsigned length = 23; length >= 20 && top.share <= 0.5; --length)
    top = busiest_prefix(sorted, total, length);
  if (top.share <= 0.5) top = longest;
  spread.top_prefix = top.prefix, spread.top_prefix_share = top.share;
}

}  // namespace

FailureSpread measure_spread(std::span<FailedHandshake> failures) {
  FailureSpread spread{.samples = unsigned(failures.size())};
  if (failures.empty()) return spread;
  double total = 0;
  for (const auto& failure : failures) {
    total += failure.weight;
    spread.repeated += failure.repeated ? failure.weight : 0;
    spread.known += failure.known ? failure.weight : 0;
  }
  spread.repeated /= total, spread.known /= total;
  std::ranges::sort(failures, {}, &FailedHandshake::source);
  count_hosts(failures, total, spread);
  count_prefixes(failures, total, spread);
  find_top_prefix(failures, total, spread);
  return spread;
}

}  // namespace estab::observe
