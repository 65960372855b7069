// SPDX-License-Identifier: Apache-2.0
// Prefixes (/24, IPv6 /56) from which a handshake completed and text came: what a blind forger of
// addresses cannot bring about. Two Bloom filters, 64 KiB together: what is new goes into the young
// one; after a day, or when three tenths of it are set (23,000 prefixes), it becomes the old one
// and the old one is forgotten. So a prefix is known for one to two days after it was last seen, or
// less where very many come, and at most one in 60 that never came is taken for known.
#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "estab/base/address.hpp"
#include "estab/base/siphash.hpp"
#include "estab/base/time.hpp"

namespace estab {

// The network that a source stands for: /24 of IPv4, /56 of IPv6.
[[nodiscard]] Address source_prefix(const Address& source);
[[nodiscard]] std::uint64_t hash_source_prefix(const HashKey& key, const Address& source);

class KnownPrefixes {
 public:
  // `age`: how long a filter stays the young one.
  explicit KnownPrefixes(const HashKey& key, Duration age = 24h);

  void add(const Address& source, Instant now) { add_hash(hash(source), now); }
  [[nodiscard]] bool contains(const Address& source) const { return contains_hash(hash(source)); }

  // The same for a caller that needs the prefix's keyed hash anyway.
  [[nodiscard]] std::uint64_t hash(const Address& source) const {
    return hash_source_prefix(key_, source);
  }
  void add_hash(std::uint64_t prefix_hash, Instant now);
  [[nodiscard]] bool contains_hash(std::uint64_t prefix_hash) const;

 private:
  static constexpr unsigned bits = 1 << 18, probes = 4, fullest = bits * 3 / 10;
  using Filter = std::vector<std::uint64_t>;
  [[nodiscard]] static bool in(const Filter& filter, std::uint64_t prefix_hash);
  void rotate(Instant now);

  HashKey key_;
  Duration age_;
  std::array<Filter, 2> filters_;  // Young, old.
  unsigned set_ = 0;               // Bits that are set in the young one.
  Instant born_{};
  bool begun_ = false;
};

}  // namespace estab
