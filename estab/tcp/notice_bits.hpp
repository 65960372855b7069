// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>

// What a connection or a listener has to tell the program; bits of Notice::bits.
namespace estab::notice {
inline constexpr std::uint16_t connected = 1, readable = 2, writable = 4;
inline constexpr std::uint16_t peer_closed = 8;   // The peer's FIN stands behind what can be read.
inline constexpr std::uint16_t urgent = 16;       // Urgent data, or more of it (MUST-32).
inline constexpr std::uint16_t closed = 32;       // In TIME-WAIT or CLOSED; `error` says if failed.
inline constexpr std::uint16_t soft_error = 64;   // Retransmissions passed R1, or ICMP complains
                                                  // (SHLD-9, SHLD-25).
inline constexpr std::uint16_t acceptable = 128;  // Of a listener: accept() has something.
inline constexpr std::uint16_t deferred = 256;    // Of a listener: next_deferred() has something.
inline constexpr std::uint16_t all_acknowledged = 512;  // All that was sent, FIN included.
inline constexpr std::uint16_t deferral_gone = 1024;    // Of a listener: next_deferral_gone() too.
}  // namespace estab::notice
