// SPDX-License-Identifier: Apache-2.0
// Two stacks joined back to back on one thread, with no device between them: the cost of the core.
// Checksums are made by the sender and verified by the receiver, timestamps and SACK are on, and
// packets change hands in batches of at most 32. Time is the pair's own and moves with each turn.
#pragma once
#include <cassert>
#include <span>
#include <vector>

#include "estab/link/cut.hpp"
#include "estab/stack/stack.hpp"
#include "estab/wire/largest_datagram.hpp"

namespace estab::bench {

inline constexpr std::size_t batch_limit = 32;
inline constexpr Port service_port{7};

// One direction: what one stack sends until it is full, the other takes as one batch.
class Lane final : public PacketSink {
 public:
  [[nodiscard]] bool ready(std::uint8_t) override { return batch_.size() < batch_limit; }
  void transmit(Packet packet) override {
    assert(wire::fits(packet, ip::InterfaceConfig{}.mtu));
    link::finish_checksum(packet);  // The stack leaves that of a super-segment to the device.
    batch_.push_back(std::move(packet));
  }
  // Hands the batch over and counts it; false: there was nothing.
  bool deliver(Stack& to, Instant now);
  void discard() { batch_.clear(); }
  [[nodiscard]] std::uint64_t packets() const { return packets_; }

 private:
  std::vector<Packet> batch_;
  std::uint64_t packets_ = 0;
};

struct PairOptions {
  std::uint32_t largest_segment = 1500;  // Octets of the largest packet: super-segments or not.
  std::uint32_t send_buffer = 256 << 10;
  std::uint32_t receive_buffer = 1 << 20;
  std::uint32_t crowd = 1 << 17;  // Half-open records that the server may hold.
};

struct Pair {
  explicit Pair(const PairOptions& options = {});
  // The clock moves on, then each end says what it owes and hears what the other says.
  void turn();
  void client_to_server();
  void server_to_client();
  // Turns until nobody owes anything now.
  void settle();
  // From each of the client's addresses in its turn, so that ports never run out.
  ConnectionId connect();
  // One connection, opened, seen from both ends.
  struct Ends {
    ConnectionId client, server;
  };
  Ends open();
  void drain_notices();

  static constexpr unsigned client_addresses = 64;
  PacketPool pool;
  Stack client, server;
  Lane out, back;
  Instant now{std::chrono::hours{1}};
  ListenerId listener;
  unsigned connects = 0;
};

}  // namespace estab::bench
