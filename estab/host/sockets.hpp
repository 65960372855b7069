// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string_view>
#include <vector>

#include "estab/base/address.hpp"
#include "estab/base/time.hpp"
#include "estab/event/state.hpp"

namespace estab::host {

// Which timer of a socket of the kernel's runs (inet_diag's idiag_timer).
enum class KernelTimer : std::uint8_t { none, retransmission, keep_alive, time_wait, probe };
[[nodiscard]] std::string_view name(KernelTimer timer);  // "retransmission", "keep-alive", …

// A TCP socket of the Linux kernel, as sock_diag(7) shows it. The kernel's half-open records are
// in SYN-RECEIVED; a socket that was never connected is not listed.
struct KernelSocket {
  Flow flow;                        // A listener's remote end is unspecified.
  State state{};
  std::uint32_t receive_queue = 0;  // Octets not read; of a listener: connections not accepted.
  std::uint32_t send_queue = 0;     // Octets not acknowledged; of a listener: its backlog.
  KernelTimer timer{};
  Duration timer_left{};            // Until the timer runs out.
  std::uint8_t retransmissions = 0; // Of what the timer is about, in a row.
  std::uint32_t uid = 0;            // Whose it is.
  std::uint32_t inode = 0;          // As in /proc/PID/fd; 0: no program holds it.
  std::uint32_t interface = 0;      // Index of the one it is bound to; 0: none.
};

// The TCP sockets, IPv4 then IPv6, that are in one of `states`, in this thread's network
// namespace. Needs no privilege. Throws std::system_error. Any thread.
[[nodiscard]] std::vector<KernelSocket> kernel_tcp_sockets(StateSet states);
[[nodiscard]] std::vector<KernelSocket> kernel_tcp_sockets();

}  // namespace estab::host
