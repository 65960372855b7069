// SPDX-License-Identifier: Apache-2.0
// What a stack holds, at one moment. The structs are stable: fields are only ever added.
#pragma once
#include <string_view>
#include <vector>

#include "estab/base/address.hpp"
#include "estab/base/time.hpp"
#include "estab/event/reason.hpp"
#include "estab/event/state.hpp"

namespace estab {

struct ConnectionInfo {
  Flow flow;
  State state{};
  bool orphan = false;              // The program has let go of it.
  std::uint32_t receive_queue = 0;  // Octets that the program has not read.
  std::uint32_t send_queue = 0;     // Octets not acknowledged, sent or not.
  std::uint32_t flight = 0;         // Octets sent and not acknowledged.
  // Of the flight: in the network, SACKed, and lost but not sent again; its SYN is in none.
  std::uint32_t pipe = 0, sacked = 0, lost = 0;
  std::uint32_t cwnd = 0, ssthresh = 0;               // Octets.
  std::uint32_t send_window = 0, receive_window = 0;  // Octets, scaled.
  std::uint16_t send_mss = 0;
  std::uint8_t send_scale = 0, receive_scale = 0;
  bool timestamps = false, sack = false;
  std::uint32_t retransmissions = 0;  // Of the segment at SND.UNA, in a row.
  Duration srtt{}, rto{};
  std::uint64_t octets_sent = 0, octets_received = 0, octets_retransmitted = 0;
  std::uint32_t memory = 0;  // Bytes, at their true size.
  // Bytes that send() takes at the most, and that the window offers at the most, now.
  std::uint32_t send_limit = 0, receive_limit = 0;
  // How long it has made no progress: no bytes that the peer acknowledged, none that came in order
  // (a few bytes now and then are none). 0 where nothing waits.
  Duration stalled{};
  Duration age{};  // Since the handshake ended, or since the SYN.
};

struct HalfOpenInfo {
  Flow flow;
  Duration age{};
  std::uint8_t retransmissions = 0;  // Of the SYN-ACK.
  bool deferred = false;             // Waits for the program to decide.
};

struct TimeWaitInfo {
  Flow flow;
  Duration left{};
};

// How a listener meets SYNs (threats.md §2.6).
enum class SynMode : std::uint8_t {
  normal,     // Each leaves a record.
  pressure,   // So it does, but its SYN-ACK is sent again only once.
  stateless,  // None does: the SYN-ACK's cookie brings back what must be known.
};
[[nodiscard]] std::string_view name(SynMode mode);  // "NORMAL", …

struct ListenerInfo {
  Endpoint local;
  std::uint32_t half_open = 0, half_open_limit = 0;
  std::uint32_t accept_queue = 0, accept_limit = 0;
  std::uint64_t accepted = 0;  // Handshakes that reached the accept queue.
  std::uint64_t half_open_overflows = 0, accept_overflows = 0;
  SynMode mode = SynMode::normal;
  Duration in_mode{};         // 0 where it was never another.
  std::uint64_t syns = 0;     // That asked for a connection, those sent again among them.
  std::uint64_t evicted = 0;  // Records that went for newer ones before their time.
  // SYN-ACKs that left no record; ACKs whose cookie was ours, was not, or was not looked at because
  // too many came without timestamps.
  std::uint64_t cookies_sent = 0, cookies_valid = 0, cookies_bad = 0, cookies_limited = 0;
  std::uint64_t syn_acks_limited = 0;  // Not sent: their network had its share (threats 39).
  std::uint64_t syn_acks_retransmitted = 0;
};

struct Snapshot {
  Instant at{};
  std::vector<ListenerInfo> listeners;
  std::vector<ConnectionInfo> connections;
  std::vector<HalfOpenInfo> half_open;
  std::vector<TimeWaitInfo> time_wait;
  ReasonCounters counters;
  std::uint64_t memory = 0, memory_limit = 0;  // Bytes.
  bool memory_is_short = false;  // From 90 % on: buffers shrink, connections are ended.
  std::uint64_t orphans = 0, orphan_limit = 0;  // Connections that their program has closed.
};

}  // namespace estab
