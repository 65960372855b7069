// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <span>
#include <string>

#include "estab/base/packet.hpp"
#include "estab/base/time.hpp"

namespace estab::link {

struct DeviceInfo {
  std::string name;                       // As shown to people: "estab0", "memory".
  std::uint32_t mtu = 1500;               // Octets of an IP datagram.
  std::uint32_t largest_segment = 65535;  // Octets of the largest super-segment that transmit()
                                          // takes, cutting it if need be.
  bool transmit_checksum = false;         // It takes the work of TCP checksums off the stack.
};

// What carries IP packets. One thread; no call blocks. Packets in a device's hands belong to the
// pools that its calls were given, which must outlive it. Errors of the system that end the device
// are thrown as std::system_error from receive() and flush(): nothing goes on without it.
class Device {
 public:
  virtual ~Device() = default;
  [[nodiscard]] virtual const DeviceInfo& info() const = 0;

  // Takes up to out.size() packets that have arrived; returns how many. Where `out` was filled
  // there may be more, and nothing else will tell.
  virtual std::size_t receive(PacketPool& pool, std::span<Packet> out, Instant now) = 0;
  // Whether transmit() takes a packet now; if not, becoming ready again is told by the descriptor
  // or on_ready.
  [[nodiscard]] virtual bool ready() const = 0;
  // Takes a packet, or a super-segment, which it cuts (see link/cut.hpp) if it cannot send it.
  virtual void transmit(PacketPool& pool, Packet packet, Instant now) = 0;
  // Hands on what transmit() gathered; called at the end of each batch.
  virtual void flush() {}

  // A descriptor to wait on for reading (and for writing while not ready), or -1.
  [[nodiscard]] virtual int descriptor() const { return -1; }
  // `wake` is called, possibly from inside another call, when there is something to receive or to
  // send that no descriptor tells.
  virtual void on_ready(std::function<void()> wake) { (void)wake; }
  // When receive() has something to do although nothing else says so (a delaying link).
  [[nodiscard]] virtual Instant next_deadline() const { return never; }

  // Packets that were to be transmitted and could not, for a reason that is not the device's end:
  // the interface is down, there is no memory.
  [[nodiscard]] virtual std::uint64_t dropped() const { return 0; }
};

}  // namespace estab::link
