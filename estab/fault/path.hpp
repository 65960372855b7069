// SPDX-License-Identifier: Apache-2.0
// One direction of a bad path: packets in, packets out later, harmed as an Impairment says. It is a
// function of its packets, the times given and one seed. Every packet that went in has come out,
// waits, or is counted: pushed + duplicated == lost + overflowed + delivered + waiting().
#pragma once
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "estab/base/packet.hpp"
#include "estab/base/random.hpp"
#include "estab/fault/impairment.hpp"

namespace estab::fault {

struct FaultCounters {
  std::uint64_t pushed = 0;      // Packets that went in.
  std::uint64_t lost = 0;        // Vanished by `loss`.
  std::uint64_t overflowed = 0;  // Dropped because `queue` packets were waiting.
  std::uint64_t duplicated = 0;  // Copies that were added.
  std::uint64_t corrupted = 0;   // Packets with a bit flipped.
  std::uint64_t reordered = 0;   // Packets held so that others may overtake them.
  std::uint64_t delivered = 0;   // Packets that came out.
  friend bool operator==(const FaultCounters&, const FaultCounters&) = default;
};

// One thread; times passed in never go back. The pools of the packets must outlive it.
class FaultyPath {
 public:
  // Paths of one impairment and different `stream`s harm independently of each other.
  explicit FaultyPath(const Impairment& impairment, std::uint64_t stream = 0);

  // Takes a packet that enters the path. Copies come from `pool`; where it has no memory, the
  // packet is spared that harm.
  void push(PacketPool& pool, Packet packet, Instant now);
  // The next packet that leaves the path by `now`; call until there is none.
  std::optional<Packet> pop(Instant now);
  // When pop() has something to give; `never` when nothing waits.
  [[nodiscard]] Instant next_deadline() const;

  [[nodiscard]] std::size_t waiting() const { return line_.size() + held_.size(); }
  [[nodiscard]] const FaultCounters& counters() const { return counters_; }
  [[nodiscard]] const Impairment& impairment() const { return impairment_; }

  // A reordered packet leaves once this many later ones, at the most, have overtaken it, or when
  // this long has passed; both are drawn from 1 up. So it stays near its place, and is never stuck.
  static constexpr unsigned most_overtakers = 4;
  static constexpr Duration longest_hold = 10ms;

 private:
  struct Waiting {
    Packet packet;
    std::uint64_t order;
    Instant due;  // When it would leave if nothing held it; it grows along the line.
  };
  struct Held : Waiting {
    Instant latest;
    unsigned overtakers;  // How many later ones are still to leave before it.
    [[nodiscard]] Instant deadline() const { return overtakers == 0 ? due : latest; }
  };
  void enter(PacketPool& pool, Packet packet, Instant now);
  bool corrupt(PacketPool& pool, Packet& packet);
  std::optional<Instant> pass_bottleneck(std::size_t octets, Instant now);
  Duration draw_delay();
  Packet deliver(Waiting&& leaving);

  Impairment impairment_;
  Random random_;
  FaultCounters counters_;
  std::deque<Waiting> line_;
  std::vector<Held> held_;          // In the order they came.
  std::deque<Instant> departures_;  // Of those that wait for their turn at `rate`.
  Instant last_departure_{}, last_due_{};
  std::uint64_t order_ = 0;
};

}  // namespace estab::fault
