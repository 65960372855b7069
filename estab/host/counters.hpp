// SPDX-License-Identifier: Apache-2.0
// What the Linux kernel counts of its listeners, and where it draws their limits.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace estab::host {

struct KernelCounter {
  std::string name;  // The kernel's: "ListenOverflows".
  std::uint64_t count = 0;
  friend bool operator==(const KernelCounter&, const KernelCounter&) = default;
};

// The counters of one protocol in a text such as /proc/net/netstat: pairs of lines that begin with
// "TcpExt:", names then numbers. Empty where the protocol is not there; what is malformed is left
// out.
[[nodiscard]] std::vector<KernelCounter> parse_netstat(std::string_view text,
                                                       std::string_view protocol);

// TcpExt, or Tcp (RFC 4022's), of this thread's network namespace, of all its listeners and
// connections together, since the namespace began. Throws std::system_error. Any thread.
[[nodiscard]] std::vector<KernelCounter> kernel_tcp_counters(std::string_view protocol = "TcpExt");

// The sysctls that bound the half-open records of a listener (tcp(7)).
struct SynLimits {
  std::uint32_t max_backlog = 0;  // tcp_max_syn_backlog
  std::uint32_t cookies = 0;      // tcp_syncookies; 0: none, 1: when a queue is full, 2: always.

  // How many half-open records a listener with this backlog takes from peers not known before:
  // up to the backlog (Linux 6.18 holds one more), and without cookies up to three quarters of
  // max_backlog. What comes then is answered by a cookie or dropped.
  [[nodiscard]] std::uint32_t half_open_limit(std::uint32_t backlog) const;
};

// Of this thread's network namespace. Throws std::system_error. Any thread.
[[nodiscard]] SynLimits kernel_syn_limits();

}  // namespace estab::host
