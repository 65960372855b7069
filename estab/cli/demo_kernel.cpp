// SPDX-License-Identifier: Apache-2.0
// The Linux kernel as the demo's peer: plain sockets of its own on one side of a TUN device.
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "estab/cli/demo_peer.hpp"
#include "estab/cli/demo_socket.hpp"
#include "estab/host/interface.hpp"
#include "estab/host/sockets.hpp"
#include "estab/link/tun.hpp"

namespace estab::cli::demo {
namespace {

// A socket that resets what is still open when it goes, lest it outlive its scene.
class Socket {
 public:
  Socket() = default;
  explicit Socket(int fd) : fd_(fd) {}
  Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Socket& operator=(Socket&& other) noexcept { return std::swap(fd_, other.fd_), *this; }
  ~Socket() {
    if (fd_ < 0) return;
    const linger reset{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    ::close(fd_);
  }
  static Socket bound_to(Port port) {
    Socket socket(
        checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "socket"));
    const int yes = 1;
    ::setsockopt(socket.fd_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    // Urgent data stay in line, as RFC 6093 wants them; an accepted socket inherits it.
    ::setsockopt(socket.fd_, SOL_SOCKET, SO_OOBINLINE, &yes, sizeof yes);
    const auto here = address_of({peer_address.address, port});
    checked(::bind(socket.fd_, reinterpret_cast<const sockaddr*>(&here), sizeof here), "bind");
    return socket;
  }
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_ = -1;
};

class Kernel final : public Peer {
 public:
  Kernel()
      : device_(link::tun({.name = "estab0", .offload = false})), wire_(device_->descriptor()) {
    host::bring_up(device_->info().name);
    host::add_address(device_->info().name, peer_address);
  }

  [[nodiscard]] std::string name() const override { return "Linux"; }
  [[nodiscard]] std::unique_ptr<link::Device> take_device() override { return std::move(device_); }

  void listen(Port port) override {
    listener_ = Socket::bound_to(port);
    checked(::listen(listener_.get(), 1), "listen");
  }
  void stop_listening() override { listener_ = Socket(); }
  void connect(Port from, const Endpoint& to) override {
    socket_ = Socket::bound_to(from);
    const auto there = address_of(to);
    const int result =
        ::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&there), sizeof there);
    if (result < 0 && errno != EINPROGRESS) checked(result, "connect");
  }
  bool accept() override {
    const int fd = ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0 && errno == EAGAIN) return false;
    socket_ = Socket(checked(fd, "accept"));
    return true;
  }
  void send(std::string_view text, bool urgent) override {
    const int flags = MSG_NOSIGNAL | (urgent ? MSG_OOB : 0);
    checked(int(::send(socket_.get(), text.data(), text.size(), flags)), "send");
  }
  std::string receive() override {
    char text[4096];
    const auto size = ::recv(socket_.get(), text, sizeof text, 0);
    if (size < 0 && errno == EAGAIN) return {};
    return {text, std::size_t(checked(int(size), "recv"))};
  }
  void shutdown() override { checked(::shutdown(socket_.get(), SHUT_WR), "shutdown"); }
  Urgency urgency() override {
    pollfd urgent{.fd = socket_.get(), .events = POLLPRI, .revents = 0};
    int at_mark = 0;
    checked(::poll(&urgent, 1, 0), "poll");
    checked(::ioctl(socket_.get(), SIOCATMARK, &at_mark), "SIOCATMARK");
    return {.announced = (urgent.revents & POLLPRI) != 0, .at_mark = at_mark != 0};
  }

  State state(const Flow& flow) override {
    bool listens = false;
    for (const auto& socket : host::kernel_tcp_sockets()) {
      if (socket.flow == flow) return socket.state;
      listens |= socket.state == State::listen && socket.flow.local == flow.local;
    }
    return listens ? State::listen : State::closed;
  }
  void work(Instant, int real) override {
    pollfd readable{.fd = wire_, .events = POLLIN, .revents = 0};
    ::poll(&readable, 1, real);
  }
  [[nodiscard]] Instant next_deadline() const override { return never; }
  [[nodiscard]] std::function<Snapshot()> snapshots() override { return {}; }

 private:
  std::unique_ptr<link::Device> device_;
  int wire_;
  Socket listener_, socket_;
};

}  // namespace

std::unique_ptr<Peer> kernel_peer() { return std::make_unique<Kernel>(); }

}  // namespace estab::cli::demo
