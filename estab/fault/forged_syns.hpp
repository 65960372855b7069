// SPDX-License-Identifier: Apache-2.0
// The SYNs of a flood, as packets in memory: sources that never were, chosen by a seed. They are
// for a stack, a simulated path or a device that the program made for it.
#pragma once
#include <cstdint>

#include "estab/base/address.hpp"
#include "estab/base/packet.hpp"
#include "estab/base/random.hpp"

namespace estab::fault {

struct ForgedSynsConfig {
  Endpoint target;          // IPv4.
  Prefix sources;           // IPv4; each address in it may be one.
  double timestamps = 0.5;  // The share of SYNs that offer them.
  std::uint64_t seed = 1;
};

class ForgedSyns {
 public:
  explicit ForgedSyns(const ForgedSynsConfig& config) : config_(config), random_(config.seed) {}
  // The next one: a whole datagram in one piece. Null where the pool is spent.
  [[nodiscard]] Packet next(PacketPool& pool);

 private:
  [[nodiscard]] Address source();

  ForgedSynsConfig config_;
  Random random_;
};

}  // namespace estab::fault
