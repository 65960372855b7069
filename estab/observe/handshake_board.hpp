// SPDX-License-Identifier: Apache-2.0
// What a viewer of listeners shows, whatever source tells it: rates of the last minutes, the
// half-open queue, the busiest prefixes, one good and one bad handshake, and the flood detector's
// verdict. Sources tell one board all that they see; it passes on to its FloodWatch what that
// judges. Memory is fixed by the number of listeners; not thread-safe; time comes from the caller.
#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "estab/observe/flood_verdict.hpp"
#include "estab/observe/handshake.hpp"

namespace estab::observe {

// Handshakes of one second of the clock, by when each step happened.
struct HandshakeSecond {
  std::uint32_t syns = 0;      // First SYNs, as far as the board remembers, and the unseen ones.
  std::uint32_t answered = 0;  // SYN-ACKs, for the first time or again.
  std::uint32_t completed = 0;
  friend bool operator==(const HandshakeSecond&, const HandshakeSecond&) = default;
};

// One step of a handshake, so long after its first SYN.
struct HandshakeMoment {
  HandshakeStep step{};
  Milliseconds after{};
  friend bool operator==(const HandshakeMoment&, const HandshakeMoment&) = default;
};

struct SeenHandshake {
  Flow flow;                             // Seen from the listener.
  std::vector<HandshakeMoment> moments;  // At most most_moments; the first is its SYN.
  static constexpr std::size_t most_moments = 12;
  friend bool operator==(const SeenHandshake&, const SeenHandshake&) = default;
};

struct PrefixShare {
  Prefix prefix;                // A /24, or a /56 of IPv6.
  std::uint64_t syns = 0;       // Recent first SYNs, where sampled: scaled.
  std::uint64_t completed = 0;  // Those of them that completed.
  friend bool operator==(const PrefixShare&, const PrefixShare&) = default;
};

// Half-open connections are counted by age; the last count is of all that are older.
inline constexpr std::array<Milliseconds, 7> half_open_ages{
    Milliseconds{200},   Milliseconds{1000},  Milliseconds{3000}, Milliseconds{7000},
    Milliseconds{15000}, Milliseconds{31000}, Milliseconds{63000}};

// A listener at one moment.
struct ListenerPicture {
  Endpoint listener;  // Unspecified: all of them together.
  HandshakeGauges gauges;
  std::string mode;  // "NORMAL", "PRESSURE", "STATELESS"; empty where the source does not know.
  std::vector<HandshakeSecond> seconds;  // Whole ones, the oldest first; at most seconds_kept.
  static constexpr std::size_t seconds_kept = 120;
  std::array<std::uint32_t, half_open_ages.size() + 1> half_open{};  // By age.
  std::vector<PrefixShare> prefixes;  // The busiest first; at most prefixes_shown.
  static constexpr std::size_t prefixes_shown = 10;
  Verdict verdict{};
  Lights lights;
  std::string words;                       // The verdict with its evidence, in one line.
  std::optional<SeenHandshake> good, bad;  // The newest that completed, and that failed.
};

}  // namespace estab::observe
