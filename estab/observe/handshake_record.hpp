// SPDX-License-Identifier: Apache-2.0
// One handshake, step by step: as it is remembered, and as it is shown.
#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "estab/observe/handshake.hpp"

namespace estab::observe {

// One step of a handshake, so long after its first SYN.
struct HandshakeMoment {
  HandshakeStep step{};
  Milliseconds after{};
  friend bool operator==(const HandshakeMoment&, const HandshakeMoment&) = default;
};

struct SeenHandshake {
  Flow flow;           // Seen from the listener.
  Milliseconds age{};  // How long ago its SYN came.
  // At most most_moments; the first is its SYN. Of more, the first ones and the last.
  std::vector<HandshakeMoment> moments;
  static constexpr std::size_t most_moments = 12;
  friend bool operator==(const SeenHandshake&, const SeenHandshake&) = default;
};

// In 104 octets, without a pointer.
class HandshakeRecord {
 public:
  HandshakeRecord() = default;
  HandshakeRecord(const Flow& flow, Instant syn) : flow_(flow), since_(syn) {
    add(HandshakeStep::syn, syn);
  }
  void add(HandshakeStep step, Instant at);

  [[nodiscard]] const Flow& flow() const { return flow_; }
  [[nodiscard]] Instant since() const { return since_; }
  [[nodiscard]] bool has(HandshakeStep step) const { return steps_ >> unsigned(step) & 1; }
  // Nothing came of it yet.
  [[nodiscard]] bool is_open() const {
    using enum HandshakeStep;
    return !has(completed) && !has(client_reset) && !has(left);
  }
  [[nodiscard]] SeenHandshake seen(Instant now) const;

 private:
  // A step in the highest three bits, milliseconds below.
  using Packed = std::uint32_t;
  static constexpr unsigned time_bits = 29;

  Flow flow_;
  Instant since_{};
  std::array<Packed, SeenHandshake::most_moments> moments_{};
  std::uint8_t size_ = 0;
  std::uint8_t steps_ = 0;  // A bit each.
};

}  // namespace estab::observe
