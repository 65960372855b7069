// SPDX-License-Identifier: Apache-2.0
// What the demos need of the kernel's sockets.
#pragma once
#include <arpa/inet.h>
#include <netinet/in.h>

#include <cerrno>
#include <system_error>

#include "estab/base/address.hpp"

namespace estab::cli::demo {

// What a system call gave; throws std::system_error, naming it, where that is an error.
inline int checked(int result, const char* what) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), what);
  return result;
}

// Of IPv4.
inline sockaddr_in address_of(const Endpoint& end) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(number(end.port));
  address.sin_addr.s_addr = htonl(end.address.to_v4());
  return address;
}

}  // namespace estab::cli::demo
