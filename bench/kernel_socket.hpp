// SPDX-License-Identifier: Apache-2.0
// The kernel's TCP sockets, as far as a benchmark needs them. Errors throw std::system_error.
#pragma once
#include <optional>
#include <utility>

#include "estab/base/address.hpp"

namespace estab::bench {

class KernelSocket {
 public:
  KernelSocket() = default;
  explicit KernelSocket(int fd) : fd_(fd) {}
  KernelSocket(KernelSocket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  KernelSocket& operator=(KernelSocket&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~KernelSocket() { close(); }

  // Congestion control is cubic: the default on some machines paces, which is not asked for here.
  [[nodiscard]] static KernelSocket listener(const Endpoint& local);
  [[nodiscard]] static KernelSocket connected(const Endpoint& remote);
  [[nodiscard]] KernelSocket accept() const;
  void no_delay() const;
  void non_blocking() const;
  void close();

  // Nothing: it would block. 0 from receive(): end of input.
  [[nodiscard]] std::optional<std::size_t> send(Bytes text) const;
  [[nodiscard]] std::optional<std::size_t> receive(MutableBytes room) const;
  [[nodiscard]] std::size_t unacknowledged() const;
  // Waits until it can be read, at most that many milliseconds.
  [[nodiscard]] bool wait_readable(int milliseconds) const;
  [[nodiscard]] int fd() const { return fd_; }

 private:
  int fd_ = -1;
};

}  // namespace estab::bench
