// SPDX-License-Identifier: Apache-2.0
// Boost.Asio's socket options, which come as the numbers of setsockopt(2), and estab's settings.
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

#include "estab/net/connection.hpp"
#include "estab/net/socket.hpp"

namespace estab::net {
namespace {

enum class Known { no_delay, keep_alive, send_buffer, receive_buffer, other };

Known known(int level, int name) {
  if (level == IPPROTO_TCP && name == TCP_NODELAY) return Known::no_delay;
  if (level == SOL_SOCKET && name == SO_KEEPALIVE) return Known::keep_alive;
  if (level == SOL_SOCKET && name == SO_SNDBUF) return Known::send_buffer;
  if (level == SOL_SOCKET && name == SO_RCVBUF) return Known::receive_buffer;
  return Known::other;
}

}  // namespace

error_code socket::set_raw_option(int level, int name, const void* data, std::size_t size) {
  int value = 0;
  if (size != sizeof value) return boost::asio::error::no_protocol_option;
  std::memcpy(&value, data, sizeof value);
  auto changed = options();
  const auto octets = std::uint32_t(std::max(value, 1));
  switch (known(level, name)) {
    case Known::no_delay:    changed.nagle = value == 0; break;
    case Known::keep_alive:  changed.keep_alive = value != 0; break;
    case Known::send_buffer: changed.send_buffer = octets, changed.fixed_send_buffer = true; break;
    case Known::receive_buffer:
      changed.receive_buffer = octets, changed.fixed_receive_buffer = true;
      break;
    case Known::other: return boost::asio::error::no_protocol_option;
  }
  return connection().set_options(changed);
}

error_code socket::get_raw_option(int level, int name, void* data, std::size_t size) const {
  const auto now = options();
  int value = 0;
  if (size != sizeof value) return boost::asio::error::no_protocol_option;
  switch (known(level, name)) {
    case Known::no_delay:       value = !now.nagle; break;
    case Known::keep_alive:     value = now.keep_alive; break;
    case Known::send_buffer:    value = int(now.send_buffer); break;
    case Known::receive_buffer: value = int(now.receive_buffer); break;
    case Known::other:          return boost::asio::error::no_protocol_option;
  }
  std::memcpy(data, &value, sizeof value);
  return {};
}

}  // namespace estab::net
