// SPDX-License-Identifier: Apache-2.0
// A device that harms what passes through another one, in either direction, and that can hold
// packets back until the program lets them go. Super-segments are cut first and owed checksums
// finished, so that harm befalls what a wire would carry.
#pragma once
#include <array>
#include <memory>

#include "estab/fault/path.hpp"
#include "estab/link/device.hpp"

namespace estab::link {

enum class Direction : std::uint8_t { inbound, outbound };  // Seen from the stack.
enum class FilterVerdict : std::uint8_t { pass, hold, drop };

struct FaultyOptions {
  fault::Impairment inbound, outbound;
};

// The same harm in both directions, independently drawn.
[[nodiscard]] inline FaultyOptions both_ways(const fault::Impairment& impairment) {
  return {.inbound = impairment, .outbound = impairment};
}

class FaultyDevice final : public Device {
 public:
  // Sees each segment before harm comes to it; all headers are in packet.linear(). It must not
  // call the device.
  using Filter = std::function<FilterVerdict(Direction, const Packet& packet)>;

  FaultyDevice(std::unique_ptr<Device> inner, const FaultyOptions& options);

  // For what comes from now on; an empty filter passes all. What is held stays held.
  void set_filter(Filter filter) { filter_ = std::move(filter); }
  // Lets the oldest `count` held packets go on, in their order, without asking the filter again.
  void release(Direction direction, std::size_t count = SIZE_MAX);
  [[nodiscard]] std::size_t held(Direction direction) const { return side(direction).held_count; }
  // How many packets the filter dropped.
  [[nodiscard]] std::uint64_t filtered(Direction direction) const {
    return side(direction).filtered;
  }
  [[nodiscard]] const fault::FaultCounters& counters(Direction direction) const {
    return side(direction).path.counters();
  }

  [[nodiscard]] const DeviceInfo& info() const override { return inner_->info(); }
  std::size_t receive(PacketPool& pool, std::span<Packet> out, Instant now) override;
  [[nodiscard]] bool ready() const override { return inner_->ready(); }
  void transmit(PacketPool& pool, Packet packet, Instant now) override;
  void flush() override { inner_->flush(); }
  [[nodiscard]] int descriptor() const override { return inner_->descriptor(); }
  void on_ready(std::function<void()> wake) override;
  [[nodiscard]] Instant next_deadline() const override;
  [[nodiscard]] std::uint64_t dropped() const override { return dropped_ + inner_->dropped(); }

 private:
  struct Side {
    fault::FaultyPath path;
    PacketList held, released;
    std::size_t held_count = 0;
    std::uint64_t filtered = 0;
  };
  [[nodiscard]] const Side& side(Direction d) const { return sides_[std::to_underlying(d)]; }
  Side& side(Direction d) { return sides_[std::to_underlying(d)]; }
  void enter(Direction direction, PacketPool& pool, Packet packet, Instant now);
  void push_released(Direction direction, PacketPool& pool, Instant now);
  void pull_inbound(PacketPool& pool, Instant now);
  void push_outbound(PacketPool& pool, Instant now);

  std::unique_ptr<Device> inner_;
  std::array<Side, 2> sides_;
  Filter filter_;
  std::function<void()> wake_;
  std::array<Packet, 64> batch_;
  bool inner_has_more_ = false;  // It filled the batch the last time.
  std::uint64_t dropped_ = 0;
};

}  // namespace estab::link
