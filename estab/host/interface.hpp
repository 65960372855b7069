// SPDX-License-Identifier: Apache-2.0
// The kernel's network interfaces, by rtnetlink, in this thread's network namespace. Each call
// takes effect before it returns and throws std::system_error whose what() says what failed and,
// where the reason is known, what to do. Any thread.
#pragma once
#include <string>

#include "estab/base/address.hpp"

namespace estab::host {

void bring_up(const std::string& interface);
// `mtu` in octets of an IP datagram; what is allowed is the device's to say.
void set_mtu(const std::string& interface, std::uint32_t mtu);
// Gives the interface an address, and its network a route, without duplicate address detection; one
// that it has, it keeps. On an interface that is up, packets for the address are taken when this
// returns; bring it up first.
void add_address(const std::string& interface, const Prefix& address);
// Packets for `destination` go out by the interface, to `gateway` if one is named.
void add_route(const std::string& interface, const Prefix& destination);
void add_route(const std::string& interface, const Prefix& destination, const Address& gateway);
// Whether the kernel takes packets for the address as its own.
[[nodiscard]] bool is_delivered_here(const Address& address);
// The device is gone, with its addresses and routes.
void remove_interface(const std::string& interface);
// Whether there is one of this name.
[[nodiscard]] bool has_interface(const std::string& interface);

}  // namespace estab::host
