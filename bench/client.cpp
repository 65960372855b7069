// SPDX-License-Identifier: Apache-2.0
#include "client.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>

#include "kernel_socket.hpp"
#include "server.hpp"

namespace estab::bench {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

// A warm-up, then the time that counts: `done` says how much was done so far, `work` does more.
template <class Work, class Done>
double per_second(const Effort& effort, Work&& work, Done&& done) {
  const auto run = [&](Clock::duration time) {
    const auto begin = Clock::now();
    const double before = done();
    while (Clock::now() - begin < time) work();
    return (done() - before) / seconds_since(begin);
  };
  run(effort.time() / 5);
  return run(effort.time());
}

constexpr double gigabits(double octets) { return octets * 8 / 1e9; }

}  // namespace

Sample bulk_in(const Effort& effort) {
  const auto socket = KernelSocket::connected(server_endpoint);
  const std::vector<std::byte> text(128 << 10, std::byte{'e'});
  double sent = 0;
  return {per_second(
              effort, [&] { sent += double(socket.send(text).value_or(0)); },
              [&] { return gigabits(sent - double(socket.unacknowledged())); }),
          {}};
}

Sample bulk_out(const Effort& effort) {
  const auto socket = KernelSocket::connected(server_endpoint);
  std::vector<std::byte> room(128 << 10);
  double received = 0;
  return {per_second(
              effort,
              [&] {
                const auto n = socket.receive(room);
                if (n == 0) throw std::runtime_error("the source ran dry");
                received += double(n.value_or(0));
              },
              [&] { return gigabits(received); }),
          {}};
}

Sample kernel_client_round_trips(const Effort& effort, std::size_t connections) {
  std::vector<KernelSocket> sockets;
  std::vector<pollfd> waits;
  for (std::size_t n = 0; n < connections; ++n) {
    sockets.push_back(KernelSocket::connected(server_endpoint));
    sockets.back().no_delay();
    waits.push_back({.fd = sockets.back().fd(), .events = POLLIN, .revents = 0});
  }
  std::byte octet{'e'};
  for (const auto& socket : sockets) (void)socket.send({&octet, 1});
  double done = 0;
  const double rate = per_second(
      effort,
      [&] {
        if (sockets.size() > 1) ::poll(waits.data(), waits.size(), 1000);
        for (std::size_t n = 0; n < sockets.size(); ++n) {
          if (sockets.size() > 1 && waits[n].revents == 0) continue;
          if (sockets[n].receive({&octet, 1}) != 1 || sockets[n].send({&octet, 1}) != 1)
            throw std::runtime_error("the echo fell silent");
          ++done;
        }
      },
      [&] { return done; });
  if (connections > 1) return {rate, {}};
  return {rate, fmt::format("{:.1f} us a round trip on average", 1e6 / rate)};
}

Sample connect_and_close(const Effort& effort) {
  double done = 0;
  return {per_second(
              effort,
              [&] {
                const auto socket = KernelSocket::connected(server_endpoint);
                std::byte octet{'e'};
                if (socket.send({&octet, 1}) != 1 || socket.receive({&octet, 1}) != 1)
                  throw std::runtime_error("the echo fell silent");
                ++done;
              },
              [&] { return done; }),
          {}};
}

}  // namespace estab::bench
