// SPDX-License-Identifier: Apache-2.0
#include "estab/sim/syn_sources.hpp"

#include <algorithm>
#include <cmath>

namespace estab::sim {
namespace {

Address unicast_v4(std::uint64_t bits) {
  // 1.0.0.0 to 223.255.255.255.
  const auto first = 1 + (bits >> 56) * 223 / 256;
  return Address::v4(std::uint32_t(first << 24 | (bits & 0xffffff)));
}

Address unicast_v6(std::uint64_t network, std::uint64_t interface) {
  std::array<std::uint8_t, 16> octets;
  for (unsigned i = 0; i < 8; ++i) {
    octets[i] = std::uint8_t(network >> (56 - 8 * i));
    octets[8 + i] = std::uint8_t(interface >> (56 - 8 * i));
  }
  octets[0] = std::uint8_t(0x20 | (octets[0] & 0x1f));  // 2000::/3.
  return Address::v6(octets);
}

// The host of that number in the network of that number; its family is the network's.
Address host(const SourcePool& pool, std::uint64_t seed, std::uint64_t network,
             std::uint64_t host) {
  Random fixed{seed ^ (pool.salt + 1) * 0x9e3779b97f4a7c15 ^ network << 20};
  const auto bits = fixed();
  if (fixed.chance(pool.v6)) return unicast_v6((bits & ~std::uint64_t{0xff}) | (host & 0xff), host);
  const auto base = unicast_v4(bits).prefix(24).to_v4();
  return Address::v4(base | std::uint32_t(1 + host % 254));
}

// A rank of 1 to n by Zipf's law, from the inverse of its distribution's integral.
std::uint64_t zipf(unsigned n, double exponent, Random& random) {
  const double power = 1 - exponent;
  const double rank = std::pow(random.unit() * (std::pow(n + 1.0, power) - 1) + 1, 1 / power);
  return std::min<std::uint64_t>(std::uint64_t(rank), n);
}

Address inside(const Prefix& prefix, Random& random) {
  auto octets = prefix.address.octets();
  const unsigned first = prefix.length + (prefix.address.is_v4() ? 96 : 0);
  for (unsigned bit = first; bit < 128; ++bit)
    if (random.chance(0.5)) octets[bit / 8] ^= std::uint8_t(0x80 >> (bit % 8));
  return Address::v6(octets);  // IPv4 is held mapped, so this is of the prefix's family.
}

}  // namespace

Address draw_source(const SourcePool& pool, std::uint64_t seed, Random& random) {
  using enum SourcePool::Kind;
  switch (pool.kind) {
    case population: {
      constexpr std::uint64_t strange = 1'000'000;
      const auto network = random.chance(pool.strangers) ? strange + random.below(strange)
                                                         : zipf(pool.count, pool.exponent, random);
      return host(pool, seed, network, random.below(pool.per_prefix));
    }
    case anywhere:
      return random.chance(pool.v6) ? unicast_v6(random(), random()) : unicast_v4(random());
    case hosts:  return host(pool, seed, random.below(pool.count), 1);
    case inside: return sim::inside(pool.prefix, random);
  }
  return {};
}

}  // namespace estab::sim
