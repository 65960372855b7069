// SPDX-License-Identifier: Apache-2.0
// How many connections a shield lets through, in all and from one network (a /24, or a /56 of
// IPv6).
#pragma once
#include <string>
#include <unordered_map>

#include "estab/base/known_prefixes.hpp"
#include "estab/stack/prefix_meter.hpp"

namespace estab::cli {

struct ShieldLimits {
  std::uint32_t max_connections = 10'000;  // At once.
  std::uint32_t per_prefix = 0;            // At once from a network; 0: no limit.
  std::uint32_t rate_per_prefix = 0;       // New ones a second from a network; 0: no limit.
  friend bool operator==(const ShieldLimits&, const ShieldLimits&) = default;
};

// The file's lines, such as "per-prefix 100"; what it does not name is as in `otherwise`. Throws
// Failure, which names the line and what is valid.
[[nodiscard]] ShieldLimits read_limits(const std::string& path, const ShieldLimits& otherwise);

enum class Admission : std::uint8_t { admitted, too_many, prefix_full, prefix_too_fast };

// Counts those inside. Memory: 64 KiB, and one count for each network that has a connection open.
class ShieldGate {
 public:
  // `key`, secret, keeps anybody from choosing networks that collide.
  ShieldGate(const ShieldLimits& limits, const HashKey& key);

  // Whoever is admitted leaves once.
  [[nodiscard]] Admission enter(const Address& client, Instant now);
  void leave(const Address& client);
  // Those who are inside stay.
  void set_limits(const ShieldLimits& limits);
  [[nodiscard]] const ShieldLimits& limits() const { return limits_; }
  [[nodiscard]] std::size_t inside() const { return inside_; }
  [[nodiscard]] std::size_t networks() const { return by_network_.size(); }

 private:
  ShieldLimits limits_;
  HashKey key_;
  PrefixMeter meter_;
  std::unordered_map<std::uint64_t, std::uint32_t> by_network_;  // By its keyed hash.
  std::size_t inside_ = 0;
};

}  // namespace estab::cli
