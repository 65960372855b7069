// SPDX-License-Identifier: Apache-2.0
// The host kernel's TCP sockets and what it counts, as one picture of a moment.
#pragma once
#include <chrono>
#include <optional>
#include <string_view>
#include <vector>

#include "estab/host/counters.hpp"
#include "estab/host/owners.hpp"
#include "estab/host/sockets.hpp"

namespace estab::cli {

struct KernelView {
  std::chrono::system_clock::time_point time;
  std::vector<host::KernelSocket> sockets;    // By state, then by their ends.
  std::vector<host::KernelCounter> counters;  // Those that counter_sentence() knows.
  host::SynLimits limits;
  std::optional<host::SocketOwners> owners;  // If they were asked for.
};

// One local end on which the kernel listens, of one family and interface: one socket, or several
// that share the port (SO_REUSEPORT), whose numbers are added up, since a half-open record does not
// tell which of them it belongs to.
struct KernelListener {
  std::vector<host::KernelSocket> sockets;  // At least one.
  std::uint64_t accept_queue = 0, accept_limit = 0;
  std::uint64_t half_open = 0, half_open_limit = 0;
  std::optional<Duration> oldest_half_open;  // Estimated (host::estimated_age).
  std::size_t sources = 0, prefixes = 0;     // Of what is half-open; /24, of IPv6 /56.
  std::uint64_t drops = 0;                   // SYNs and final ACKs, since it listens.

  [[nodiscard]] const host::KernelSocket& first() const { return sockets.front(); }
};

// Reads them in this thread's network namespace. Throws Failure, which says what is needed.
[[nodiscard]] KernelView read_kernel(bool with_owners);

// Of the sockets those that listen or are half-open, and of the counters also PassiveOpens: what a
// flood detector asks for, again and again. Throws as read_kernel().
[[nodiscard]] KernelView read_kernel_handshakes();

// By their local ends.
[[nodiscard]] std::vector<KernelListener> listeners_of(const KernelView& view);

// What a counter of TcpExt that speaks of listeners says; empty for others.
[[nodiscard]] std::string_view counter_sentence(std::string_view name);

}  // namespace estab::cli
