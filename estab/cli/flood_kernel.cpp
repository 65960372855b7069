// SPDX-License-Identifier: Apache-2.0
// The kernel in `estab demo syn-flood`: a listener without SYN cookies, and clients of a flooded
// stack of ours.
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <list>
#include <system_error>
#include <utility>

#include "estab/cli/demo_socket.hpp"
#include "estab/cli/flood_ends.hpp"
#include "estab/host/sockets.hpp"

namespace estab::cli::demo {
namespace {

class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) {}
  Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Socket& operator=(Socket&&) = delete;
  ~Socket() {
    if (fd_ >= 0) ::close(fd_);
  }
  static Socket stream() {
    return Socket(
        checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "socket"));
  }
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

// Of this thread's network namespace.
void set(const char* setting, std::uint32_t value) {
  std::ofstream file(std::string("/proc/sys/net/") + setting);
  if (!(file << value << std::flush))
    throw std::system_error(EACCES, std::generic_category(), std::string("net/") + setting);
}

class KernelServer final : public FloodedServer {
 public:
  explicit KernelServer(const Address& local) : listener_(Socket::stream()) {
    set("ipv4/tcp_syncookies", 0);
    set("ipv4/tcp_max_syn_backlog", flooded_limit);
    set("core/somaxconn", flooded_limit);
    const auto here = address_of({local, flooded_port});
    const int yes = 1;
    ::setsockopt(listener_.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    checked(::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&here), sizeof here), "bind");
    checked(::listen(listener_.get(), int(flooded_limit)), "listen");
  }

  void work(Instant) override {
    for (int fd; (fd = ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)) >= 0;)
      ::close(fd);
  }
  std::uint32_t half_open() override {
    return std::uint32_t(host::kernel_tcp_sockets(State::syn_received).size());
  }
  std::string mode() override { return "-"; }
  const observe::FloodReport* report() override { return nullptr; }

 private:
  Socket listener_;
};

class KernelClients final : public RealClients {
 public:
  explicit KernelClients(const Endpoint& server) : server_(address_of(server)) {}

  void begin(Instant now) override {
    ++begun_;
    auto socket = Socket::stream();
    const int result =
        ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&server_), sizeof server_);
    if (result < 0 && errno != EINPROGRESS) ++failed_;
    else open_.push_back({std::move(socket), now});
  }
  void work(Instant now) override {
    open_.remove_if([&](const Attempt& attempt) {
      pollfd ready{.fd = attempt.socket.get(), .events = POLLOUT, .revents = 0};
      if (::poll(&ready, 1, 0) == 1) {
        const bool up = ::send(ready.fd, client_word.data(), client_word.size(), MSG_NOSIGNAL) > 0;
        if (up) latencies_.push_back(now - attempt.began);
        else ++failed_;
        return true;
      }
      if (now - attempt.began < client_patience) return false;
      return ++failed_, true;
    });
  }

 private:
  struct Attempt {
    Socket socket;
    Instant began;
  };
  sockaddr_in server_;
  std::list<Attempt> open_;
};

}  // namespace

std::unique_ptr<FloodedServer> kernel_server(const Address& local) {
  return std::make_unique<KernelServer>(local);
}
std::unique_ptr<RealClients> kernel_clients(const Endpoint& server) {
  return std::make_unique<KernelClients>(server);
}

}  // namespace estab::cli::demo
