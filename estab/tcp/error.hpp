// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string_view>

namespace estab {

// What a call of the user may meet (RFC 9293 §3.9.1), or what ended a connection.
enum class Error : std::uint8_t {
  none,
  would_block,            // Not now: a notice comes when it is worth trying again.
  not_connected,          // The handle names no connection, or none that is open.
  shut_down,              // The sending side was closed before.
  in_use,                 // Another connection or listener has this socket.
  no_ports,               // Every ephemeral port is taken for this peer.
  invalid_argument,       // A broadcast, multicast or unspecified peer, port 0, a self-connect.
  address_not_available,  // The local address is none of ours.
  no_route,               // No interface leads there.
  no_memory,              // A budget is spent.
  refused,                // The peer answered our SYN with a reset.
  reset,                  // The peer reset the connection.
  aborted,                // We reset it.
  timed_out,              // Retransmissions, keep-alive or the user timeout ran out.
  unreachable,            // ICMP says so, while opening.
};

// A short text, such as "connection refused".
[[nodiscard]] std::string_view message(Error e);

}  // namespace estab
