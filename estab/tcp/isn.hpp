// SPDX-License-Identifier: Apache-2.0
// Numbers that a peer must not guess: initial sequence numbers and timestamp offsets.
#pragma once
#include "estab/base/address.hpp"
#include "estab/base/seq.hpp"
#include "estab/base/siphash.hpp"
#include "estab/base/time.hpp"

namespace estab::tcp {

// The octets by which a pair of sockets is hashed, IPv4 in fewer; `at` has room for the most.
inline constexpr std::size_t most_flow_octets = 36;
[[nodiscard]] std::size_t put_flow(std::byte* at, const Flow& flow);
// A keyed hash of the pair of sockets.
[[nodiscard]] std::uint64_t hash_flow(const HashKey& key, const Flow& flow);

// An active open's ISN = M + F(sockets, key), M a clock of 4 µs (RFC 6528 §3; MUST-8, MUST-9). A
// passive open's is a cookie (syn_cookie.hpp).
[[nodiscard]] Seq active_isn(const HashKey& key, const Flow& flow, Instant now);

// The offset of a connection's timestamp clock (RFC 7323 §5.4; threats 34).
[[nodiscard]] std::uint32_t timestamp_offset(const HashKey& key, const Flow& flow);
// Ticks of 1 ms.
[[nodiscard]] inline std::uint32_t timestamp_at(Instant now) {
  return std::uint32_t(now.time_since_epoch() / 1ms);
}
// For ages that timestamps are too short for: the ticks come round after 49 days.
[[nodiscard]] inline std::uint32_t seconds_at(Instant now) {
  return std::uint32_t(now.time_since_epoch() / 1s);
}

}  // namespace estab::tcp
