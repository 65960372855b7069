// SPDX-License-Identifier: Apache-2.0
// What a source tells the flood detector: the steps of handshakes as a listener sees them, and
// gauges. Three sources speak it: this stack's listeners; packets that pass by, on an interface or
// in a capture; the host kernel, of which one sees sockets in SYN-RECEIVED and counters alone.
// Times never go back: an observation that is older than the last one counts as that moment's.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

#include "estab/base/address.hpp"
#include "estab/base/time.hpp"

namespace estab::observe {

enum class HandshakeStep : std::uint8_t {
  syn,        // A SYN; the detector finds out whether it came before, as far as it remembers.
  syn_again,  // A SYN that the source knows to be a repetition.
  syn_ack,    // We answered, for the first time or again. Optional: see Source::answers.
  // The final ACK came, and was proven to answer our SYN-ACK. It counts even where the accept queue
  // is full, lest a slow application look like a flood.
  completed,
  client_reset,  // The client answered our SYN-ACK with a reset.
  client_data,   // The client's first text on a completed connection.
  left,          // It is not half-open any more, and the source cannot say why.
};
[[nodiscard]] std::string_view to_string(HandshakeStep step);
[[nodiscard]] std::optional<HandshakeStep> parse_handshake_step(std::string_view word);

struct HandshakeObservation {
  Instant at{};
  HandshakeStep step{};
  Flow flow;  // Seen from the listener: the client is `remote`.
  friend bool operator==(const HandshakeObservation&, const HandshakeObservation&) = default;
};

// How full the listener is; what is not known stays empty. A new one replaces the last one.
struct HandshakeGauges {
  Instant at{};
  std::optional<std::uint32_t> half_open, half_open_limit;
  std::optional<std::uint32_t> accept_queue, accept_limit;
  std::optional<Milliseconds> half_open_timeout;  // How long an unanswered SYN-ACK is kept.
  std::optional<std::uint64_t> accepted;          // Connections that the application took, in all.
  friend bool operator==(const HandshakeGauges&, const HandshakeGauges&) = default;
};

// What happened since the last tally to handshakes whose flows the source does not see.
struct HandshakeTally {
  Instant at{};
  std::uint32_t completed = 0;    // All that completed (the kernel's PassiveOpens).
  std::uint32_t unseen_syns = 0;  // SYNs without a socket (SyncookiesSent, TCPReqQFullDrop) ...
  std::uint32_t unseen_completed = 0;  // ... and those of them that completed (SyncookiesRecv).
  friend bool operator==(const HandshakeTally&, const HandshakeTally&) = default;
};

// What a source can know. A verdict that would need more says so (Evidence::doubts).
struct HandshakeSource {
  bool matched = true;  // Completions come by flow; else by tally, and the flows are only `left`.
  bool proven = true;   // A completion's ACK is known to answer our SYN-ACK.
  bool answers = true;  // SYN-ACKs are told: what we did not answer is not the client's failure.
  bool repeats = true;  // SYNs that are repeated are told.
  bool resets = true;   // Clients' resets are told.
  bool data = true;     // Clients' first text is told: known prefixes and silent connections.
  friend bool operator==(const HandshakeSource&, const HandshakeSource&) = default;

  static constexpr HandshakeSource listener() { return {}; }
  static constexpr HandshakeSource both_directions() { return {}; }
  // The way from client to server alone: an ACK after a SYN is taken for what it seems.
  static constexpr HandshakeSource towards_server() { return {.proven = false, .answers = false}; }
  static constexpr HandshakeSource kernel() {
    return {.matched = false, .answers = false, .repeats = false, .resets = false, .data = false};
  }
};

}  // namespace estab::observe
