// SPDX-License-Identifier: Apache-2.0
#include "pair.hpp"

#include <stdexcept>

namespace estab::bench {
namespace {

constexpr auto turn_time = std::chrono::microseconds{10};

Address client_address(unsigned n) { return Address::v4(10, 0, 0, std::uint8_t(1 + n)); }
const Address server_address = Address::v4(10, 0, 0, 254);

StackConfig config(const PairOptions& options) {
  StackConfig config;
  config.tcp.defaults.send_buffer = options.send_buffer;
  config.tcp.defaults.receive_buffer = options.receive_buffer;
  config.tcp.half_open_limit = options.crowd;
  return config;
}

constexpr Secrets secrets{
    .initial_sequence = {1, 2}, .ports = {3, 4}, .timestamps = {5, 6}, .table = {7, 8}};

}  // namespace

bool Lane::deliver(Stack& to, Instant now) {
  if (batch_.empty()) return false;
  packets_ += batch_.size();
  to.receive(batch_, now);
  batch_.clear();
  return true;
}

Pair::Pair(const PairOptions& options)
    : client(pool, config(options), secrets), server(pool, config(options), secrets) {
  ip::InterfaceConfig interface{.largest_segment = options.largest_segment};
  interface.addresses = {{server_address, 24}};
  server.add_interface(interface);
  interface.addresses.clear();
  for (unsigned n = 0; n < client_addresses; ++n)
    interface.addresses.push_back({client_address(n), 24});
  client.add_interface(interface);
  listener = *server.listen({server_address, service_port},
                            {.backlog = options.crowd, .half_open_limit = options.crowd}, now);
}

void Pair::client_to_server() {
  now += turn_time;
  client.poll_transmit(out, now);
  out.deliver(server, now);
}

void Pair::server_to_client() {
  server.poll_transmit(back, now);
  back.deliver(client, now);
}

void Pair::turn() {
  client_to_server();
  server_to_client();
}

void Pair::settle() {
  do turn();
  while (client.next_deadline() <= now || server.next_deadline() <= now);
}

ConnectionId Pair::connect() {
  const auto from = client_address(connects++ % client_addresses);
  const auto id =
      client.connect({.remote = {server_address, service_port}, .local = {from, Port{0}}}, now);
  if (!id) throw std::runtime_error("the stack refused to connect");
  return *id;
}

Pair::Ends Pair::open() {
  const auto client_end = connect();
  settle();
  const auto server_end = server.accept(listener);
  if (!server_end) throw std::runtime_error("no connection came about");
  return {client_end, *server_end};
}

void Pair::drain_notices() {
  for (Notice notice; client.next_notice(notice);) {}
  for (Notice notice; server.next_notice(notice);) {}
}

}  // namespace estab::bench
