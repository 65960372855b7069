// SPDX-License-Identifier: Apache-2.0
#include "estab/link/memory.hpp"

#include <cassert>

#include "estab/link/cut.hpp"
#include "estab/wire/largest_datagram.hpp"

namespace estab::link {
namespace {

// One direction of the pair.
struct Lane {
  PacketList packets;
  std::size_t count = 0;
  bool announced = true;  // The receiver was told of all that is there.
  bool open = true;       // There is a receiver.
  std::function<void()> wake_receiver, wake_sender;
};

void call(const std::function<void()>& wake) {
  if (wake) wake();
}

class Memory final : public Device {
 public:
  Memory(const MemoryOptions& options, std::shared_ptr<Lane> in, std::shared_ptr<Lane> out)
      : info_{.name = "memory",
              .mtu = options.mtu,
              .largest_segment = options.largest_segment,
              .transmit_checksum = options.vouch},
        queue_(options.queue),
        in_(std::move(in)),
        out_(std::move(out)) {}

  ~Memory() override {
    in_->packets.clear();
    in_->open = false;
    in_->wake_receiver = out_->wake_sender = nullptr;
    call(in_->wake_sender);  // Who waits for room waits no longer.
  }

  [[nodiscard]] const DeviceInfo& info() const override { return info_; }

  std::size_t receive(PacketPool&, std::span<Packet> out, Instant) override {
    const bool was_full = in_->count >= queue_;
    std::size_t n = 0;
    for (; n < out.size() && in_->count > 0; ++n, --in_->count) out[n] = in_->packets.pop_front();
    if (was_full && in_->count < queue_) call(in_->wake_sender);
    return n;
  }

  [[nodiscard]] bool ready() const override { return !out_->open || out_->count < queue_; }

  void transmit(PacketPool& pool, Packet packet, Instant) override {
    assert(wire::fits(packet, info_.mtu));
    if (!out_->open) return;
    if (packet.offload().segment_size == 0 || packet.size() <= info_.largest_segment)
      return put(std::move(packet));
    PacketList segments;
    dropped_ += cut(pool, std::move(packet), segments);
    while (!segments.empty()) put(segments.pop_front());
  }

  void flush() override {
    if (!std::exchange(out_->announced, true)) call(out_->wake_receiver);
  }

  void on_ready(std::function<void()> wake) override {
    in_->wake_receiver = out_->wake_sender = std::move(wake);
  }
  [[nodiscard]] std::uint64_t dropped() const override { return dropped_; }

 private:
  void put(Packet packet) {
    auto& checksum = packet.offload().checksum;
    if (!info_.transmit_checksum) finish_checksum(packet);
    else if (checksum == Offload::Checksum::owed) checksum = Offload::Checksum::verified;
    out_->packets.push_back(std::move(packet));
    ++out_->count;
    out_->announced = false;
  }

  DeviceInfo info_;
  std::size_t queue_;
  std::shared_ptr<Lane> in_, out_;
  std::uint64_t dropped_ = 0;
};

}  // namespace

std::pair<std::unique_ptr<Device>, std::unique_ptr<Device>> memory_pair(
    const MemoryOptions& options) {
  auto there = std::make_shared<Lane>(), back = std::make_shared<Lane>();
  return {std::make_unique<Memory>(options, back, there),
          std::make_unique<Memory>(options, there, back)};
}

}  // namespace estab::link
