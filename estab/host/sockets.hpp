// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
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
  Flow flow;  // A listener's remote end is unspecified.
  State state{};
  std::uint32_t receive_queue = 0;  // Octets not read; of a listener: connections not accepted.
  std::uint32_t send_queue = 0;     // Octets not acknowledged; of a listener: its backlog.
  KernelTimer timer{};
  Duration timer_left{};             // Until the timer runs out.
  std::uint8_t retransmissions = 0;  // Of what the timer is about, in a row.
  std::uint32_t uid = 0;             // Whose it is.
  std::uint32_t inode = 0;           // As in /proc/PID/fd; 0: no program holds it.
  std::uint32_t interface = 0;       // Index of the one it is bound to; 0: none.
  std::uint32_t drops = 0;           // Of a listener: SYNs and final ACKs that it refused.
  bool ipv6 = false;                 // An IPv6 socket, though its ends may be IPv4 addresses.
  bool ipv6_only = false;            // A listener that takes no IPv4.
};

// How long ago the SYN of a half-open record came: an estimate, since the kernel keeps no time of
// it; nothing for any other socket. The kernel sends the SYN-ACK again 1, 2, 4, 8, 16 … s, at most
// 120 s, after it sent it last. While the wait after n retransmissions runs, 1 + 2 + … + 2^n =
// 2^(n+1) - 1 s have gone by at its end, less timer_left. It falls short by as much as the kernel's
// timers were late (up to an eighth), and is wrong where a BPF program sets the first wait.
[[nodiscard]] std::optional<Duration> estimated_age(const KernelSocket& socket);

// The TCP sockets, IPv4 then IPv6, that are in one of `states`, in this thread's network
// namespace. What changes during the call may be missing or told as it was. Needs no privilege.
// Throws std::system_error. Any thread.
[[nodiscard]] std::vector<KernelSocket> kernel_tcp_sockets(StateSet states);
[[nodiscard]] std::vector<KernelSocket> kernel_tcp_sockets();

}  // namespace estab::host
