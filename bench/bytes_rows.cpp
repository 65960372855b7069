// SPDX-License-Identifier: Apache-2.0
// What a connection and the records cost, as the heap sees it: a crowd of them is made, and what
// the heap holds more than before is divided by their number. Tables are in it at the load that
// they have.
#include <fmt/format.h>

#include "estab/tcp/half_open.hpp"
#include "estab/tcp/time_wait.hpp"
#include "heap.hpp"
#include "pair.hpp"
#include "rows.hpp"
#include "work.hpp"

namespace estab::bench {
namespace {

std::string in_the_books(const Stack& stack, std::uint64_t before, std::size_t crowd) {
  return fmt::format("{} of them; {:.1f} by Stack::memory()", crowd,
                     double(stack.memory() - before) / double(crowd));
}

// Both ends, after an octet each way and the last acknowledgement.
Sample idle_connection(const Effort& effort) {
  Pair pair;
  const auto books = pair.server.memory();
  const auto before = heap_bytes();
  std::byte octet{'e'};
  for (std::size_t n = 0; n < effort.crowd(); ++n) {
    const auto [client, server] = pair.open();
    bool said = pair.client.send(client, {&octet, 1}, {}, pair.now).has_value();
    pair.turn();
    said = said && pair.server.receive(server, {&octet, 1}, pair.now) == 1u &&
           pair.server.send(server, {&octet, 1}, {}, pair.now) == 1u;
    pair.turn();
    if (!said || pair.client.receive(client, {&octet, 1}, pair.now) != 1u)
      throw std::runtime_error("an octet did not arrive");
    pair.drain_notices();
  }
  pair.now += std::chrono::seconds{1};  // Delayed acknowledgements leave.
  pair.settle();
  pair.pool.trim();
  return {double(heap_bytes() - before) / double(2 * effort.crowd()),
          in_the_books(pair.server, books, effort.crowd())};
}

// The table is taken whole, with the first listener.
Sample half_open(const Effort&) {
  constexpr std::uint32_t few = 8, many = 1 << 17;
  const auto heap_with = [](std::uint32_t records) {
    const auto before = heap_bytes();
    const Pair pair({.crowd = records});
    return heap_bytes() - before;
  };
  return {double(heap_with(many) - heap_with(few)) / double(many - few),
          fmt::format("a table of {}, taken with the first listener", many)};
}

Sample time_wait(const Effort& effort) {
  Pair pair;
  const auto books = pair.client.memory();
  const auto before = heap_bytes();
  for (std::size_t n = 0; n < effort.crowd(); ++n) {
    const auto [client, server] = pair.open();
    const bool closed = pair.client.close(client, pair.now).has_value();
    pair.turn();
    if (!closed || !pair.server.close(server, pair.now))
      throw std::runtime_error("a close was refused");
    pair.settle();
    pair.drain_notices();
  }
  pair.pool.trim();
  const auto held = heap_bytes() - before;
  if (pair.client.snapshot(pair.now).time_wait.size() != effort.crowd())
    throw std::runtime_error("TIME-WAIT records are missing");
  return {double(held) / double(effort.crowd()), in_the_books(pair.client, books, effort.crowd())};
}

Row row(const char* name, std::string settings, Sample (*all_in)(const Effort&)) {
  return {.name = name,
          .unit = "bytes",
          .settings = std::move(settings),
          .candidates = {{"estab", all_in}}};
}

// What the record itself takes, beside what it costs with names and tables.
Row record_row(const char* name, std::string settings, Sample (*all_in)(const Effort&),
               std::size_t record) {
  auto it = row(name, std::move(settings), all_in);
  it.candidates.push_back(
      {"record", [record](const Effort&) { return Sample{double(record), {}}; }});
  return it;
}

}  // namespace

std::vector<Row> bytes_rows() {
  const std::string how = "heap held through operator new at malloc's true size, tables included; ";
  return {
      row("bytes/idle-connection",
          how + "an end; both ends established and idle after an octet "
                "each way; at most 512",
          idle_connection),
      record_row("bytes/half-open", how + "record: the record alone, at most 96", half_open,
                 sizeof(tcp::HalfOpen)),
      record_row("bytes/time-wait", how + "record: the record alone, at most 64", time_wait,
                 sizeof(tcp::TimeWait)),
  };
}

}  // namespace estab::bench
