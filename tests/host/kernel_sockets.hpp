// SPDX-License-Identifier: Apache-2.0
// TCP sockets of the kernel's, made and looked for by the tests of what shows them.
#pragma once
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <new>
#include <thread>
#include <utility>
#include <vector>

#include "estab/host/sockets.hpp"

namespace estab::host {

// A TCP socket of the kernel's.
class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) { EXPECT_GE(fd, 0) << std::strerror(errno); }
  explicit Socket(bool v4, int flags = 0)
      : Socket(::socket(v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | flags, 0)) {}
  Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  ~Socket() { close(); }
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }
  [[nodiscard]] int fd() const { return fd_; }

 private:
  int fd_;
};

struct Name {
  sockaddr_storage storage{};
  socklen_t size = 0;
  explicit Name(const Endpoint& e) {
    const auto port = htons(number(e.port));
    const auto* octets = e.address.octets().data();
    if (e.address.is_v4()) {
      auto& in = *new (&storage) sockaddr_in{};
      in.sin_family = AF_INET, in.sin_port = port, size = sizeof in;
      std::memcpy(&in.sin_addr, octets + 12, 4);
    } else {
      auto& in = *new (&storage) sockaddr_in6{};
      in.sin6_family = AF_INET6, in.sin6_port = port, size = sizeof in;
      std::memcpy(&in.sin6_addr, octets, 16);
    }
  }
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

inline Socket listen_on(const Endpoint& local, int backlog) {
  Socket socket(local.address.is_v4());
  const int on = 1;
  EXPECT_EQ(::setsockopt(socket.fd(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), 0);
  const Name name(local);
  EXPECT_EQ(::bind(socket.fd(), name.get(), name.size), 0) << std::strerror(errno);
  EXPECT_EQ(::listen(socket.fd(), backlog), 0);
  return socket;
}

inline Socket connect_to(const Endpoint& remote) {
  Socket socket(remote.address.is_v4());
  const Name name(remote);
  EXPECT_EQ(::connect(socket.fd(), name.get(), name.size), 0) << std::strerror(errno);
  return socket;
}

using Sockets = std::vector<KernelSocket>;

// The one socket that `wanted` picks, once there is one: the kernel may take a moment.
template <class F>
KernelSocket the_one(F&& wanted) {
  Sockets found;
  for (int tries = 0; tries < 2000; ++tries) {
    found = kernel_tcp_sockets();
    std::erase_if(found, [&](const auto& s) { return !wanted(s); });
    if (found.size() == 1) return found.front();
    std::this_thread::sleep_for(1ms);
  }
  ADD_FAILURE() << found.size() << " sockets answer, not one";
  return {};
}

}  // namespace estab::host
