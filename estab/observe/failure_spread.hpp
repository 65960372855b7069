// SPDX-License-Identifier: Apache-2.0
// From where failed handshakes came, and what they have in common.
#pragma once
#include <cstdint>
#include <span>

#include "estab/base/address.hpp"

namespace estab::observe {

struct FailedHandshake {
  Address source;
  float weight = 1;       // It stands for so many.
  bool repeated = false;  // Its SYN came again: somebody waits for our answer.
  bool known = false;     // Its prefix had completed handshakes before.
};

// Shares are of all failures, 0 to 1.
struct FailureSpread {
  unsigned samples = 0;
  unsigned sources = 0, prefixes = 0;  // Different ones, in the sample.
  double repeated = 0, known = 0;
  Address top_host;
  double top_host_share = 0;
  // The busiest hosts together: 16, or as many as a quarter of the samples, so that a few failures
  // of nobody in particular do not look like few hosts. An IPv6 host is a /64.
  unsigned top_hosts = 0;
  double top_hosts_share = 0;
  // The longest prefix of /24 to /20 (IPv6 /48) that more than half of them share; if none, the
  // busiest /24 or /48.
  Prefix top_prefix;
  double top_prefix_share = 0;
  // Shannon's entropy over prefixes (/24, /56), of what it could be: 1 where no two are the same.
  double prefix_entropy = 0;
};

// Sorts the failures and allocates nothing; thousands take some hundreds of microseconds.
[[nodiscard]] FailureSpread measure_spread(std::span<FailedHandshake> failures);

}  // namespace estab::observe
