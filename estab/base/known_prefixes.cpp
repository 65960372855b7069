// SPDX-License-Identifier: Apache-2.0
#include "estab/base/known_prefixes.hpp"

#include <algorithm>

namespace estab {
namespace {

// Kirsch and Mitzenmacher 2006: two halves of one hash make any number of probes.
unsigned probe(std::uint64_t hash, unsigned i, unsigned bits) {
  return unsigned(std::uint32_t(hash) + i * (std::uint32_t(hash >> 32) | 1)) & (bits - 1);
}

}  // namespace

Address source_prefix(const Address& source) { return source.prefix(source.is_v4() ? 24 : 56); }

std::uint64_t hash_source_prefix(const HashKey& key, const Address& source) {
  const Address prefix = source_prefix(source);
  const Bytes octets = as_bytes(prefix.octets());
  return siphash(key, source.is_v4() ? octets.last(4) : octets);
}

KnownPrefixes::KnownPrefixes(const HashKey& key, Duration age)
    : key_(key), age_(age), filters_{Filter(bits / 64), Filter(bits / 64)} {}

bool KnownPrefixes::in(const Filter& filter, std::uint64_t prefix_hash) {
  for (unsigned i = 0; i < probes; ++i) {
    const auto bit = probe(prefix_hash, i, bits);
    if (!(filter[bit / 64] >> (bit % 64) & 1)) return false;
  }
  return true;
}

bool KnownPrefixes::contains_hash(std::uint64_t prefix_hash) const {
  if (!begun_) return false;
  return in(filters_[0], prefix_hash) || in(filters_[1], prefix_hash);
}

void KnownPrefixes::add_hash(std::uint64_t prefix_hash, Instant now) {
  if (!begun_) begun_ = true, born_ = now;
  if (now - born_ >= age_ || set_ > fullest) rotate(now);
  for (unsigned i = 0; i < probes; ++i) {
    const auto bit = probe(prefix_hash, i, bits);
    auto& word = filters_[0][bit / 64];
    const auto mask = std::uint64_t{1} << (bit % 64);
    if (!(word & mask)) word |= mask, ++set_;
  }
}

void KnownPrefixes::rotate(Instant now) {
  // After two ages without a newcomer the young one is too old as well.
  if (now - born_ >= 2 * age_) std::ranges::fill(filters_[0], 0);
  std::swap(filters_[0], filters_[1]);
  std::ranges::fill(filters_[0], 0);
  set_ = 0;
  born_ = now;
}

}  // namespace estab
