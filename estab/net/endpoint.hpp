// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <boost/asio/ip/tcp.hpp>
#include <cstring>

#include "estab/base/address.hpp"

namespace estab {

// Every address of both families, as in `acceptor{host, {estab::any, 7}}`.
inline constexpr struct AnyAddress {
  operator boost::asio::ip::address() const { return boost::asio::ip::address_v6::any(); }
  constexpr operator Address() const { return {}; }
} any;

namespace net {

using endpoint = boost::asio::ip::tcp::endpoint;

[[nodiscard]] inline Address to_address(const boost::asio::ip::address& address) {
  return address.is_v4() ? Address::v4(address.to_v4().to_uint())
                         : Address::v6(address.to_v6().to_bytes());
}
[[nodiscard]] inline boost::asio::ip::address from_address(const Address& address) {
  if (address.is_v4()) return boost::asio::ip::address_v4{address.to_v4()};
  return boost::asio::ip::address_v6{address.octets()};
}
[[nodiscard]] inline Endpoint to_core(const endpoint& e) {
  return {to_address(e.address()), Port{e.port()}};
}
[[nodiscard]] inline endpoint from_core(const Endpoint& e) {
  return {from_address(e.address), number(e.port)};
}

}  // namespace net
}  // namespace estab
