// SPDX-License-Identifier: Apache-2.0
// The near end: sockets of the kernel's that put a server to work, timed by the wall.
#pragma once
#include "measure.hpp"

namespace estab::bench {

// Gbit/s from the kernel to the server (discard), and from the server (source) to the kernel.
[[nodiscard]] Sample bulk_in(const Effort& effort);
[[nodiscard]] Sample bulk_out(const Effort& effort);
// One octet there and back (echo) on each of so many connections; round trips a second of all.
[[nodiscard]] Sample kernel_client_round_trips(const Effort& effort, std::size_t connections);
// Connect, an octet each way (echo), close; connections a second, one after the other.
[[nodiscard]] Sample connect_and_close(const Effort& effort);

}  // namespace estab::bench
