// SPDX-License-Identifier: Apache-2.0
// The TCP packets that pass an interface of the Linux kernel's, both ways, as AF_PACKET shows them
// (packet(7)): a copy of their headers. Nothing is sent, and nothing is kept from anybody.
#pragma once
#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "estab/base/bytes.hpp"
#include "estab/base/time.hpp"

namespace estab::link {

struct PassingPacket {
  std::chrono::sys_time<Duration> time;  // The kernel's, of when it passed.
  Bytes kept;                            // The IP datagram's first octets, up to kept_octets.
  std::size_t size = 0;                  // All of its octets.
  bool outgoing = false;                 // From this machine.
};

class PacketSocket {
 public:
  static constexpr std::size_t kept_octets = 160;  // The largest headers of IP and TCP, nearly.
  static constexpr const char* any = "any";        // All interfaces.

  // On the interface of this name, in this thread's network namespace. Throws std::system_error
  // whose what() says what to do.
  explicit PacketSocket(const std::string& interface);
  ~PacketSocket();
  PacketSocket(const PacketSocket&) = delete;
  PacketSocket& operator=(const PacketSocket&) = delete;

  // Non-blocking; readable when packets wait.
  [[nodiscard]] int descriptor() const { return fd_; }
  enum class Received : std::uint8_t { some, none, interface_down };
  // Hands on a batch of those that wait.
  Received receive(const std::function<void(const PassingPacket&)>& f);
  // Packets for which there was no room, since it was made.
  [[nodiscard]] std::uint64_t lost();

 private:
  struct Batch;
  int fd_ = -1;
  std::uint64_t lost_ = 0;
  std::unique_ptr<Batch> batch_;
};

enum class InterfaceState : std::uint8_t { up, down, missing };
[[nodiscard]] InterfaceState interface_state(const std::string& name);
// "eth0, lo": all that are there.
[[nodiscard]] std::string interface_names();

}  // namespace estab::link
