// SPDX-License-Identifier: Apache-2.0
// The far end of a measurement against the kernel: a service at one address, by one TCP or
// another, on a thread of its own until it is destroyed. The near end is the network namespace of
// the calling thread, whose kernel is given 10.77.0.1.
#pragma once
#include <memory>

#include "estab/base/address.hpp"

namespace estab::bench {

enum class Service : std::uint8_t {
  discard,  // Reads for as long as the peer writes.
  source,   // Writes for as long as the peer reads.
  echo,     // Writes what it reads, a few octets at a time, and closes after the peer.
};

inline constexpr Endpoint server_endpoint{Address::v4(10, 77, 0, 2), Port{7}};
inline constexpr Prefix server_prefix{server_endpoint.address, 24};
inline constexpr Prefix client_prefix{Address::v4(10, 77, 0, 1), 24};

class Server {
 public:
  virtual ~Server() = default;
};

// The kernel of another network namespace, over a pair of veth devices.
[[nodiscard]] std::unique_ptr<Server> kernel_server(Service service);
// A shard of estab on a TUN device.
[[nodiscard]] std::unique_ptr<Server> estab_server(Service service);
// No TCP at all, but answers that satisfy the kernel, on a TUN device: what the device allows.
[[nodiscard]] std::unique_ptr<Server> fake_server(Service service);

}  // namespace estab::bench
