// SPDX-License-Identifier: Apache-2.0
#include "estab/tcp/error.hpp"

#include <utility>

namespace estab {

std::string_view message(Error e) {
  switch (e) {
    case Error::none:                  return "no error";
    case Error::would_block:           return "not now";
    case Error::not_connected:         return "not connected";
    case Error::shut_down:             return "the sending side is closed";
    case Error::in_use:                return "address in use";
    case Error::no_ports:              return "no free port";
    case Error::invalid_argument:      return "invalid argument";
    case Error::address_not_available: return "address not available";
    case Error::no_route:              return "no route to host";
    case Error::no_memory:             return "out of memory budget";
    case Error::refused:               return "connection refused";
    case Error::reset:                 return "connection reset by peer";
    case Error::aborted:               return "connection aborted";
    case Error::timed_out:             return "timed out";
    case Error::unreachable:           return "host unreachable";
  }
  std::unreachable();
}

}  // namespace estab
