// SPDX-License-Identifier: Apache-2.0
// Where raw peers send and receive IP datagrams: a TUN device of their own, a socket that sends
// with any source address, and a socket that sees what passes on an interface. Each throws
// std::system_error where it cannot be made.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace estab::raw {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept;
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor();
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

// A new TUN device of this name, up, with a queue of 10,000 packets; it goes with its descriptor,
// which does not block. Its routes are the caller's.
[[nodiscard]] Descriptor make_tun(const std::string& name);

// Sends whole IPv4 or IPv6 datagrams by the kernel's routes. One that does not fit is dropped.
class RawSender {
 public:
  RawSender();
  void send(std::span<const std::uint8_t> datagram);

 private:
  Descriptor v4_, v6_;
};

// All that passes on an interface, both ways.
class Sniffer {
 public:
  struct Packet {
    std::span<const std::uint8_t> datagram;  // Until the next call.
    std::uint16_t segment_size = 0;          // Of a GSO packet, as the kernel would cut it; or 0.
  };
  explicit Sniffer(const std::string& interface);
  [[nodiscard]] int descriptor() const { return socket_.get(); }
  // False: there is nothing now.
  [[nodiscard]] bool next(Packet& packet);
  // Packets that this was too slow for.
  [[nodiscard]] std::uint64_t missed();

 private:
  static constexpr std::size_t largest = 10 + (256 << 10);
  Descriptor socket_;
  std::unique_ptr<std::uint8_t[]> room_ = std::make_unique<std::uint8_t[]>(largest);
  std::uint64_t missed_ = 0;
};

}  // namespace estab::raw
