// SPDX-License-Identifier: Apache-2.0
// Datagrams to begin from, for the tests of wire/.
#pragma once
#include <gtest/gtest.h>

#include <vector>

#include "estab/base/random.hpp"
#include "estab/wire/ip.hpp"

namespace estab::wire {

using Octets = std::vector<std::byte>;

// How often a random test runs: the sanitizers see each mistake at once, but are slow.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr int rounds(int n) { return n / 10; }
#else
inline constexpr int rounds(int n) { return n; }
#endif

inline const Address v4_source = Address::v4(192, 0, 2, 1),
                     v4_destination = Address::v4(10, 7, 0, 2);
inline const Address v6_source = *Address::parse("2001:db8::1"),
                     v6_destination = *Address::parse("fd00::2");

inline std::uint8_t& octet(Octets& octets, std::size_t at) {
  return reinterpret_cast<std::uint8_t&>(octets.at(at));
}

inline void append(Octets& to, std::initializer_list<int> octets) {
  for (const int o : octets) to.push_back(std::byte(o));
}

inline void flip(Octets& octets, std::size_t bit) { octets[bit / 8] ^= std::byte(1 << bit % 8); }

// A datagram of either family with `payload`.
inline Octets datagram(bool v4, Protocol protocol, const Octets& payload) {
  const IpHeader header{.source = v4 ? v4_source : v6_source,
                        .destination = v4 ? v4_destination : v6_destination,
                        .protocol = protocol,
                        .hop_limit = 61,
                        .dscp = 10,
                        .ecn = Ecn::ect_0,
                        .header_length = std::uint16_t(v4 ? 20 : 40),
                        .total_length = std::uint32_t((v4 ? 20 : 40) + payload.size())};
  Octets all(header.header_length);
  emit_ip(header, all);
  all.insert(all.end(), payload.begin(), payload.end());
  return all;
}

// Makes the sum of an IPv4 header right again.
inline void repair_v4(Octets& d) {
  store_be(&d[10], std::uint16_t{0});
  const auto length = std::min<std::size_t>((octet(d, 0) & 0xfu) * 4u, d.size());
  store_be(&d[10], Checksum{}.add(Bytes{d}.first(length)).value());
}

inline std::expected<IpHeader, Reason> parsed(const Octets& d) { return parse_ip(d, d.size()); }

inline void expect_refused(const Octets& d, Reason reason) {
  const auto result = parsed(d);
  ASSERT_FALSE(result);
  EXPECT_EQ(text(result.error()).name, text(reason).name);
}

}  // namespace estab::wire
