// SPDX-License-Identifier: Apache-2.0
// From where failed handshakes came: the last cohorts' sampled failures, and what they have in
// common. Bounded, and nothing is allocated after construction.
#pragma once
#include <cstdint>
#include <vector>

#include "estab/base/address.hpp"

namespace estab::observe {

struct FailedHandshake {
  Address source;
  std::uint32_t cohort = 0;
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
  double top_hosts_share = 0;  // The 16 busiest hosts together; an IPv6 host is a /64.
  // The longest prefix of /24 to /20 (IPv6 /48) that more than half of them share; if none, the
  // busiest /24 or /48.
  Prefix top_prefix;
  double top_prefix_share = 0;
  // Shannon's entropy over prefixes (/24, /56), of what it could be: 1 where no two are the same.
  double prefix_entropy = 0;
};

class FailureWindow {
 public:
  // `capacity`: failures of 28 octets; the oldest make room.
  explicit FailureWindow(std::size_t capacity);

  void add(const FailedHandshake& failure);
  // Forgets what is of an older cohort.
  void forget_before(std::uint32_t cohort);
  [[nodiscard]] unsigned size() const { return unsigned(size_); }
  // Sorts the failures: costs some tens of microseconds, so ask once a second at the most.
  [[nodiscard]] FailureSpread spread();

 private:
  std::vector<FailedHandshake> ring_, sorted_;
  std::size_t first_ = 0, size_ = 0;
};

}  // namespace estab::observe
