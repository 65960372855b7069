// SPDX-License-Identifier: Apache-2.0
// A TUN device of the Linux kernel: IP packets between the stack and the kernel's own. Both sides
// hand each other super-segments whole, and leave to each other the checksums of what has not left
// the machine.
#pragma once
#include <expected>
#include <memory>

#include "estab/link/device.hpp"

namespace estab::link {

struct TunOptions {
  std::string name;          // At most 15 octets; "%d" in it becomes a number; empty: the kernel
                             // chooses.
  std::uint32_t mtu = 1500;  // Octets of an IP datagram; 68..65535 (IPv6: at least 1280).
  bool offload = true;       // False: each packet as a wire would carry it, both ways.
  std::uint32_t queue = 10'000;  // Packets that may wait in the kernel for receive(); set for a
                                 // device that this makes. The kernel's own default is 500: a flood
                                 // fills that while another program runs for a few milliseconds.
};

// Opens the device in this thread's network namespace, making it if there is none of that name; one
// that it made goes away with it. Its address and being up are the caller's (host/interface.hpp).
// Throws std::system_error whose what() says what to do.
[[nodiscard]] std::unique_ptr<Device> tun(const TunOptions& options = {});
[[nodiscard]] inline std::unique_ptr<Device> tun(const char* name) { return tun({.name = name}); }

// Whether tun() would work here, or the sentence that tells why not and what to do; it tries.
[[nodiscard]] std::expected<void, std::string> tun_usable();

}  // namespace estab::link
