// SPDX-License-Identifier: Apache-2.0
// What the tests of estab ss and estab watch need of a network and cannot have from a shell:
// sockets of the kernel's in every state, forged SYNs, and a process that may not use sock_diag. It
// says "ready" and holds its sockets until its input ends.
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <thread>

#include "forged_syn.hpp"

namespace {

using namespace estab;

int check(int result, const char* what) {
  if (result >= 0) return result;
  std::perror(what);
  std::exit(1);
}

unsigned number_of(const char* text) { return unsigned(std::strtoul(text, nullptr, 10)); }

struct Name {
  sockaddr_storage storage{};
  socklen_t size = 0;
  explicit Name(const Endpoint& e) {
    const auto port = htons(number(e.port));
    if (e.address.is_v4()) {
      sockaddr_in in{};
      in.sin_family = AF_INET, in.sin_port = port;
      std::memcpy(&in.sin_addr, e.address.octets().data() + 12, 4);
      std::memcpy(&storage, &in, size = sizeof in);
    } else {
      sockaddr_in6 in{};
      in.sin6_family = AF_INET6, in.sin6_port = port;
      std::memcpy(&in.sin6_addr, e.address.octets().data(), 16);
      std::memcpy(&storage, &in, size = sizeof in);
    }
  }
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

int make(const Endpoint& e) {
  const int family = e.address.is_v4() ? AF_INET : AF_INET6;
  return check(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
}
int listen_on(const Endpoint& e, int backlog) {
  const int fd = make(e), on = 1;
  check(::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), "SO_REUSEADDR");
  const Name name(e);
  check(::bind(fd, name.get(), name.size), "bind");
  check(::listen(fd, backlog), "listen");
  return fd;
}
int connect_to(const Endpoint& e) {
  const int fd = make(e);
  const Name name(e);
  check(::connect(fd, name.get(), name.size), "connect");
  return fd;
}

void allow_many_descriptors() {
  rlimit limit{};
  check(::getrlimit(RLIMIT_NOFILE, &limit), "getrlimit");
  limit.rlim_cur = limit.rlim_max;
  check(::setrlimit(RLIMIT_NOFILE, &limit), "setrlimit");
}

int hold() {
  std::puts("ready");
  std::fflush(stdout);
  char octet;
  while (::read(STDIN_FILENO, &octet, 1) > 0) {}
  return 0;
}

// listen ADDRESS PORT BACKLOG: accepts nobody.
int hold_listener(const Endpoint& at, unsigned backlog) {
  listen_on(at, int(backlog));
  return hold();
}

// connect ADDRESS PORT COUNT: connections with both their ends here; in the first there is text to
// read, the second is half-closed, and of the third the client is in TIME-WAIT.
int hold_connections(const Endpoint& at, unsigned count) {
  allow_many_descriptors();
  const int listener = listen_on(at, 16);
  for (unsigned i = 0; i < count; ++i) {
    const int client = connect_to(at);
    const int server = check(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC), "accept");
    if (i == 0) check(int(::send(client, "hello", 5, MSG_NOSIGNAL)), "send");
    if (i == 1) check(::shutdown(client, SHUT_WR), "shutdown");
    if (i == 2) ::close(client), ::close(server);
  }
  return hold();
}

// flood ADDRESS PORT COUNT: that many SYNs, of which each has another source, in 198.18.0.0/16.
int flood(const Endpoint& to, unsigned count) {
  constexpr unsigned most = 10'000;
  if (count > most) return std::fprintf(stderr, "at most %u\n", most), 2;
  host::RawSender sender(true);
  for (unsigned i = 0; i < count; ++i) {
    const auto source = Address::v4(0xc6120000 + 1 + i);
    sender.send(host::forged_syn({source, Port(1024 + i)}, to), to.address);
  }
  return 0;
}

// As many turns a second, until `count` are over.
template <class F> int paced(unsigned count, unsigned rate, F&& turn) {
  const auto start = std::chrono::steady_clock::now();
  for (unsigned i = 0; i < count; ++i) {
    std::this_thread::sleep_until(start + std::chrono::seconds{1} * i / std::max(rate, 1u));
    turn(i);
  }
  return 0;
}

// pour ADDRESS PORT COUNT RATE: a flood of so many SYNs a second, of sources all over
// 198.18.0.0/15.
int pour(const Endpoint& to, unsigned count, unsigned rate) {
  constexpr unsigned most = 10'000;
  if (count > most) return std::fprintf(stderr, "at most %u\n", most), 2;
  host::RawSender sender(true);
  return paced(count, rate, [&](unsigned i) {
    const auto source = Address::v4(0xc6120000 + i * 7919 % 0x1fffe);
    sender.send(host::forged_syn({source, Port(1024 + i)}, to), to.address);
  });
}

// visit ADDRESS PORT COUNT RATE: connects, says something and goes, so many times a second.
int visit(const Endpoint& to, unsigned count, unsigned rate) {
  return paced(count, rate, [&](unsigned) {
    const int client = connect_to(to);
    check(int(::send(client, "hello", 5, MSG_NOSIGNAL)), "send");
    ::close(client);
  });
}

// accept ADDRESS PORT BACKLOG: takes everybody in, and lets them go.
int accept_all(const Endpoint& at, unsigned backlog) {
  const int listener = listen_on(at, int(backlog));
  std::puts("ready");
  std::fflush(stdout);
  for (;;) {
    pollfd ready[] = {{.fd = listener, .events = POLLIN, .revents = 0},
                      {.fd = STDIN_FILENO, .events = POLLIN, .revents = 0}};
    ::poll(ready, 2, -1);
    char text[16];
    if (ready[1].revents != 0 && ::read(STDIN_FILENO, text, 1) <= 0) return 0;
    if (ready[0].revents == 0) continue;
    const int server = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (server >= 0) ::close(server);
  }
}

// forbid COMMAND…: becomes the command, to which socket(AF_NETLINK, …) is forbidden.
int forbid_netlink(char** command) {
  sock_filter rules[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args[0])),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_NETLINK, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program{.len = std::size(rules), .filter = rules};
  check(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "PR_SET_NO_NEW_PRIVS");
  check(::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), "PR_SET_SECCOMP");
  return check(::execvp(command[0], command), "execvp");
}

}  // namespace

int main(int argc, char** argv) try {
  const std::string_view word = argc > 1 ? argv[1] : "";
  if (word == "forbid" && argc > 2) return forbid_netlink(argv + 2);
  const auto address = argc == 5 || argc == 6 ? Address::parse(argv[2]) : std::nullopt;
  if (address) {
    const Endpoint at{*address, Port(number_of(argv[3]))};
    if (word == "listen") return hold_listener(at, number_of(argv[4]));
    if (word == "connect") return hold_connections(at, number_of(argv[4]));
    if (word == "flood") return flood(at, number_of(argv[4]));
    if (word == "accept") return accept_all(at, number_of(argv[4]));
    const unsigned rate = argc == 6 ? number_of(argv[5]) : 0;
    if (word == "pour" && rate > 0) return pour(at, number_of(argv[4]), rate);
    if (word == "visit" && rate > 0) return visit(at, number_of(argv[4]), rate);
  }
  std::fprintf(stderr,
               "ss_peer listen|connect|flood|accept ADDRESS PORT NUMBER, or pour|visit ADDRESS "
               "PORT NUMBER RATE, or forbid COMMAND\n");
  return 2;
} catch (const std::exception& error) {
  std::fprintf(stderr, "ss_peer: %s\n", error.what());
  return 1;
}
