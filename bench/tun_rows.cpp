// SPDX-License-Identifier: Apache-2.0
#include <functional>

#include "client.hpp"
#include "estab/host/namespace.hpp"
#include "rows.hpp"
#include "server.hpp"

namespace estab::bench {
namespace {

using Client = std::function<Sample(const Effort&)>;

// Each sample has a network namespace of its own, so that no port in TIME-WAIT is met again.
Candidate candidate(const char* who, std::unique_ptr<Server> (*make)(Service), Service service,
                    const Client& client) {
  return {who, [=](const Effort& effort) {
            const host::NetworkNamespace near_side;
            const auto server = make(service);
            return client(effort);
          }};
}

Row row(const char* name, const char* unit, const char* what, Service service,
        const Client& client) {
  return {.name = name,
          .unit = unit,
          .settings = std::string(what) +
                      "; the kernel's client beside a server thread, wall "
                      "time, MTU 1500, cubic; TUN without virtio-net header",
          .candidates = {candidate("estab", estab_server, service, client),
                         candidate("kernel-veth", kernel_server, service, client),
                         candidate("fake-tun", fake_server, service, client)}};
}

}  // namespace

std::vector<Row> tun_rows() {
  const auto round_trips = [](std::size_t connections) {
    return [=](const Effort& effort) { return kernel_client_round_trips(effort, connections); };
  };
  return {
      row("tun/bulk/in", "Gbit/s", "from the kernel to the server", Service::discard, bulk_in),
      row("tun/bulk/out", "Gbit/s", "from the server to the kernel", Service::source, bulk_out),
      row("tun/roundtrip/1", "round trips/s", "an octet, one connection", Service::echo,
          round_trips(1)),
      row("tun/roundtrip/32", "round trips/s", "an octet, 32 connections", Service::echo,
          round_trips(32)),
      row("tun/connect-close", "connections/s", "connect, an octet each way, close by the client",
          Service::echo, connect_and_close),
  };
}

}  // namespace estab::bench
