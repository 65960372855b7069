// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <utility>

#include "estab/link/device.hpp"

namespace estab::link {

struct MemoryOptions {
  std::uint32_t mtu = 1500;               // Octets of an IP datagram.
  std::uint32_t largest_segment = 65535;  // Octets of a super-segment that is carried whole; a
                                          // larger one is cut. At most the MTU: none is.
  bool vouch = true;         // Checksums that are owed are never computed: the receiver is told
                             // that they are verified. Otherwise they are computed and checked.
  std::size_t queue = 1024;  // Packets that wait for the receiver; then the sender is not ready.
};

// Two devices joined back to back: what one transmits the other receives, by handle, no byte
// copied. One thread for both. Each end's pool must outlive both; what is sent to an end that is
// gone is gone as well, as on a cable that was pulled.
[[nodiscard]] std::pair<std::unique_ptr<Device>, std::unique_ptr<Device>> memory_pair(
    const MemoryOptions& options = {});

}  // namespace estab::link
