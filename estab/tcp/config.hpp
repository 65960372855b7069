// SPDX-License-Identifier: Apache-2.0
// Every number that TCP's behaviour hangs on, with its unit, default and source. "Linux" is
// behaviour.md's reading of Linux 6; where estab departs from it, the line says why.
#pragma once
#include <cstdint>

#include "estab/base/time.hpp"

namespace estab::tcp {

// A connection's settings. They may be changed while it lives, except where "at open" is said.
struct Options {
  bool nagle = true;            // RFC 9293 §3.7.4; off is TCP_NODELAY (MUST-17).
  bool keep_alive = false;      // MUST-24, MUST-25.
  std::uint8_t dscp = 0;        // MUST-48, SHLD-21; 0..63.
  std::uint8_t hop_limit = 64;  // MUST-49; Linux.
  // Bytes of data queued, and offered, at the most. Each grows to it with what the path carries
  // (Linux: to 4 and 6 MiB), unless it is fixed: then it has this size from the beginning.
  std::uint32_t send_buffer = 4 << 20;
  std::uint32_t receive_buffer = 1 << 20;
  bool fixed_send_buffer = false;         // SO_SNDBUF.
  bool fixed_receive_buffer = false;      // SO_RCVBUF.
  Milliseconds user_timeout{};            // RFC 9293 §3.9.1 OPEN; 0: off, as everywhere.
  Milliseconds keep_alive_idle{7200s};    // MUST-28.
  Milliseconds keep_alive_interval{75s};  // Linux.
  std::uint8_t keep_alive_probes = 9;     // Linux; MUST-29.
  bool keep_alive_octet = false;          // MAY-6: one garbage octet, for peers that need it.
};

// Whether an ACK without a record may be known by its cookie (RFC 4987 §3.6).
enum class CookieUse : std::uint8_t {
  never,           // A full queue drops SYNs.
  under_pressure,  // When the queue is full, or SYNs come too fast.
  always,          // Half-open peers never leave a record.
};

// What is the same for all connections of a stack.
struct Config {
  Options defaults;

  // Opening.
  bool window_scaling = true, timestamps = true, sack = true;  // RFC 7323, RFC 2018.
  std::uint16_t initial_window_segments = 10;                  // RFC 6928.
  std::uint16_t smallest_send_mss = 48;         // Linux; the peer's MSS above it is kept (MUST-16).
  Duration initial_rto = 1s;                    // RFC 6298 §2.1.
  std::uint8_t syn_linear_retransmissions = 4;  // Linux: 1 to 5 s, then doubling: 7, 11, 19 s …
  Duration syn_timeout = 259s;                  // MUST-23 asks 180 s; Linux gives up at 131 s.
  std::uint8_t syn_ack_retransmissions = 3;     // At 1, 3, 7 s; gone at 15 s (Linux: 5, 63 s).
  std::uint32_t half_open_limit = 8192;         // Records in the whole stack, 96 bytes each; their
                                                // memory is taken with the first listener.

  // SYN floods (threats §2).
  CookieUse syn_cookies = CookieUse::under_pressure;
  bool shared_cookies = false;               // Other hosts answer SYNs whose ACKs come here.
  std::uint32_t syn_rate_floor = 1000;       // SYNs a second; four times as many are a flood.
  std::uint32_t cookie_check_rate = 50'000;  // A second and a listener, without timestamps.
  std::uint32_t prefix_syn_ack_rate = 1000;  // SYN-ACKs without answer a second and a /24 or /56.
  std::uint32_t prefix_reset_rate = 100;     // Resets for no connection, likewise.
  std::uint32_t prefix_ack_rate = 500;       // ACKs of half-open and TIME-WAIT records, each kind.

  // Sending.
  Duration rto_min = 200ms, rto_max = 120s;     // Linux; RFC 6298 §2.4 would have 1 s.
  std::uint8_t r1_retransmissions = 3;          // SHLD-10; then SHLD-9's notice.
  Duration retransmission_limit = 924600ms;     // R2: Linux; SHLD-11 asks 100 s.
  std::uint8_t orphan_retransmissions = 8;      // Linux.
  std::uint8_t duplicate_ack_threshold = 3;     // RFC 5681.
  std::uint32_t largest_super_segment = 65000;  // Octets of text; a device may take less.
  bool cwnd_idle_restart = true;                // RFC 5681 §4.1; Linux.

  // Receiving.
  Duration delayed_ack = 40ms, delayed_ack_max = 200ms;  // Linux; MUST-40: under 500 ms.
  std::uint8_t quick_acks = 16;                          // Segments acknowledged at once, at first.
  bool require_timestamps = false;            // Drop what lacks agreed ones (RFC 7323 §3.2, a
                                              // SHOULD); off, as Linux: real peers leave them out.
  Duration challenge_interval = 500ms;        // RFC 5961 §7, per connection or record; Linux.
  Duration fin_again_interval = 100ms;        // Between ACKs of a FIN that TIME-WAIT sees again: no
                                              // retransmission comes sooner.
  std::uint16_t unacceptable_ack_burst = 16;  // threats §2.9: a bucket of its own, so that a
  std::uint16_t unacceptable_ack_rate = 100;  // peer in persist never starves; ACKs a second.
  std::uint16_t reassembly_ranges = 128;      // Holes at the most (threats 10, 13).

  // Closing.
  Duration time_wait = 60s;                 // 2 MSL: Linux; the RFC's is 240 s (MUST-13).
  Duration fin_wait_2 = 60s;                // Of an orphan; Linux.
  Duration orphan_timeout = 360s;           // Of an orphan that makes no progress; Linux: 341 s
                                            // behind a shut window.
  std::uint32_t orphan_limit = 65536;       // Connections that their program has closed and that
                                            // are not finished; at most one for each 16 KiB of
                                            // `memory_limit`. Linux: by memory.
  bool rst_ends_time_wait = false;          // RFC 1337; Linux obeys the reset.
  std::uint32_t time_wait_limit = 1 << 20;  // Records, 64 bytes each.

  // Memory, at its true size: packets, chunks, records, connections, listeners, tables.
  std::uint64_t memory_limit = 1ull << 30;  // Bytes of the stack; from 90 % on buffers shrink, and
                                            // connections without progress are ended.
  std::uint32_t memory_reserve = 16 << 10;  // Bytes that each connection may use all the same, in
                                            // each direction.
  std::uint32_t first_send_buffer = 48 << 10;      // Before the path has carried anything, and when
                                                   // the peer's window is shut. Linux: 87,040 at
                                                   // their true size.
  std::uint32_t first_receive_buffer = 128 << 10;  // Linux.
  std::uint32_t scale_for_buffer = 16 << 20;       // The window scale allows for so large a buffer,
                                                   // where the buffer grows.

  // Answers to peers without a connection: buckets with jitter.
  std::uint32_t reset_rate = 1000;       // A second, a stack.
  std::uint32_t record_ack_rate = 5000;  // ACKs of half-open and of TIME-WAIT records, each kind.
};

}  // namespace estab::tcp
