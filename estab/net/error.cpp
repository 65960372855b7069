// SPDX-License-Identifier: Apache-2.0
#include "estab/net/error.hpp"

#include <boost/asio/error.hpp>
#include <utility>

namespace estab::net {

boost::system::error_code to_error_code(Error error) {
  namespace codes = boost::asio::error;
  switch (error) {
    case Error::none:             return {};
    case Error::would_block:      return codes::would_block;
    case Error::not_connected:    return codes::not_connected;
    case Error::shut_down:        return codes::broken_pipe;
    case Error::in_use:           return codes::address_in_use;
    case Error::invalid_argument: return codes::invalid_argument;
    case Error::no_ports:  // As connect(2) says it.
    case Error::address_not_available:
      return make_error_code(boost::system::errc::address_not_available);
    case Error::no_route:    return codes::network_unreachable;
    case Error::no_memory:   return codes::no_buffer_space;
    case Error::refused:     return codes::connection_refused;
    case Error::reset:       return codes::connection_reset;
    case Error::aborted:     return codes::connection_aborted;
    case Error::timed_out:   return codes::timed_out;
    case Error::unreachable: return codes::host_unreachable;
  }
  std::unreachable();
}

}  // namespace estab::net
