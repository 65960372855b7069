// SPDX-License-Identifier: Apache-2.0
#include "estab/cli/shield_limits.hpp"

#include <fmt/core.h>

#include "estab/cli/option_values.hpp"
#include "estab/cli/settings_file.hpp"

namespace estab::cli {

ShieldLimits read_limits(const std::string& path, const ShieldLimits& otherwise) {
  auto limits = otherwise;
  for (const auto& setting : read_settings(path)) {
    const auto count = parse_count(setting.value), rate = parse_rate(setting.value);
    if (setting.word == "max-connections" && count && *count > 0) limits.max_connections = *count;
    else if (setting.word == "per-prefix" && count) limits.per_prefix = *count;
    else if (setting.word == "rate-per-prefix" && rate) limits.rate_per_prefix = *rate;
    else
      refuse_setting(path, setting,
                     fmt::format("'{} {}' is no limit; such are: max-connections 10000, "
                                 "per-prefix 100, rate-per-prefix 50/s",
                                 setting.word, setting.value));
  }
  return limits;
}

ShieldGate::ShieldGate(const ShieldLimits& limits, const HashKey& key)
    : limits_(limits), key_(key), meter_(limits.rate_per_prefix) {}

Admission ShieldGate::enter(const Address& client, Instant now) {
  if (inside_ >= limits_.max_connections) return Admission::too_many;
  const auto network = hash_source_prefix(key_, client);
  const auto found = by_network_.find(network);
  if (limits_.per_prefix > 0 && found != by_network_.end() && found->second >= limits_.per_prefix)
    return Admission::prefix_full;
  if (limits_.rate_per_prefix > 0 && !meter_.take(network, now)) return Admission::prefix_too_fast;
  ++by_network_[network];
  ++inside_;
  return Admission::admitted;
}

void ShieldGate::leave(const Address& client) {
  const auto found = by_network_.find(hash_source_prefix(key_, client));
  if (--found->second == 0) by_network_.erase(found);
  --inside_;
}

void ShieldGate::set_limits(const ShieldLimits& limits) {
  if (limits.rate_per_prefix != limits_.rate_per_prefix)
    meter_ = PrefixMeter(limits.rate_per_prefix);
  limits_ = limits;
}

}  // namespace estab::cli
