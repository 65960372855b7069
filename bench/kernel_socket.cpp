// SPDX-License-Identifier: Apache-2.0
#include "kernel_socket.hpp"

#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace estab::bench {
namespace {

int check(int result, const char* what) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), what);
  return result;
}

sockaddr_in name_of(const Endpoint& endpoint) {
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_port = htons(number(endpoint.port));
  name.sin_addr.s_addr = htonl(endpoint.address.to_v4());
  return name;
}

void set(int fd, int level, int option, int value, const char* what) {
  check(::setsockopt(fd, level, option, &value, sizeof value), what);
}

KernelSocket make() {
  KernelSocket socket{check(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket")};
  check(::setsockopt(socket.fd(), IPPROTO_TCP, TCP_CONGESTION, "cubic", 5), "cubic");
  return socket;
}

std::optional<std::size_t> outcome(ssize_t result, const char* what) {
  if (result < 0 && (errno == EAGAIN || errno == EINTR)) return std::nullopt;
  return std::size_t(check(int(result), what));
}

}  // namespace

KernelSocket KernelSocket::listener(const Endpoint& local) {
  auto socket = make();
  set(socket.fd_, SOL_SOCKET, SO_REUSEADDR, 1, "SO_REUSEADDR");
  const auto name = name_of(local);
  check(::bind(socket.fd_, reinterpret_cast<const sockaddr*>(&name), sizeof name), "bind");
  check(::listen(socket.fd_, 1024), "listen");
  return socket;
}

KernelSocket KernelSocket::connected(const Endpoint& remote) {
  auto socket = make();
  const auto name = name_of(remote);
  check(::connect(socket.fd_, reinterpret_cast<const sockaddr*>(&name), sizeof name), "connect");
  return socket;
}

KernelSocket KernelSocket::accept() const {
  return KernelSocket{check(::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC), "accept")};
}

void KernelSocket::no_delay() const { set(fd_, IPPROTO_TCP, TCP_NODELAY, 1, "TCP_NODELAY"); }

void KernelSocket::non_blocking() const { check(::fcntl(fd_, F_SETFL, O_NONBLOCK), "O_NONBLOCK"); }

void KernelSocket::close() {
  if (const int fd = std::exchange(fd_, -1); fd >= 0) ::close(fd);
}

std::optional<std::size_t> KernelSocket::send(Bytes text) const {
  return outcome(::send(fd_, text.data(), text.size(), MSG_NOSIGNAL), "send");
}

std::optional<std::size_t> KernelSocket::receive(MutableBytes room) const {
  return outcome(::recv(fd_, room.data(), room.size(), 0), "recv");
}

std::size_t KernelSocket::unacknowledged() const {
  int octets = 0;
  check(::ioctl(fd_, SIOCOUTQ, &octets), "SIOCOUTQ");
  return std::size_t(octets);
}

bool KernelSocket::wait_readable(int milliseconds) const {
  pollfd wait{.fd = fd_, .events = POLLIN, .revents = 0};
  return ::poll(&wait, 1, milliseconds) > 0;
}

}  // namespace estab::bench
