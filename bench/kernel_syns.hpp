// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "measure.hpp"

namespace estab::bench {

// Millions of SYNs a second of this thread's processor time, over a TUN device in a network
// namespace of its own: read from it, answered, written back. The kernel answers by cookies always,
// or when its queue is full; estab by cookies alone, or through its cache.
[[nodiscard]] Sample kernel_tun_syns(const Effort& effort, bool cookies_always);
[[nodiscard]] Sample estab_tun_syns(const Effort& effort, bool cache);

}  // namespace estab::bench
