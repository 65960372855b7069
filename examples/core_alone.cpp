// SPDX-License-Identifier: Apache-2.0
// The core alone, without Boost.Asio or an operating system: two stacks exchange packets in memory
// under a clock of the program's own, and their events tell the life of a connection.
#include <estab/stack/stack.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>
#include <vector>

using namespace estab;

struct Node final : private PacketSink {
  Node(const char* its_name, PacketPool& pool, const char* address, Secrets secrets)
      : name(its_name), stack(pool, {}, secrets) {
    stack.add_interface({.addresses = {Prefix::parse(address).value()}});
    stack.log().enable();
  }

  // Sends what is owed to `peer` and prints what happened. Whether anything did.
  bool step(Node& peer, Instant now) {
    stack.poll_transmit(*this, now);
    peer.stack.receive(leaving, now);
    leaving.clear();
    bool busy = false;
    for (Node* node : {this, &peer})
      node->stack.log().drain([&](const Event& event, Bytes) {
        busy = true;
        if (event.kind != EventKind::transition) return;
        std::printf("%-6s  %12s -> %-12s  %s\n", node->name, estab::name(event.before).data(),
                    estab::name(event.after).data(), text(event.reason).sentence.data());
      });
    return busy;
  }

  const char* name;
  Stack stack;
  std::vector<Packet> leaving;

 private:
  bool ready(std::uint8_t) override { return true; }
  void transmit(Packet packet) override { leaving.push_back(std::move(packet)); }
};

int main() {
  PacketPool pool;
  Node client{"client", pool, "10.0.0.1/24", {.table = {1, 2}}};
  Node server{"server", pool, "10.0.0.2/24", {.table = {3, 4}}};
  Instant now{1s};
  const Endpoint echo{Address::v4(10, 0, 0, 2), Port{7}};
  const auto listener = server.stack.listen(echo, {}, now).value();
  const auto out = client.stack.connect({.remote = echo}, now).value();

  // A packet takes a millisecond; when nothing moves, time jumps to what is due next.
  const auto run = [&](Duration span) {
    for (const Instant end = now + span; now < end;) {
      if (client.step(server, now) | server.step(client, now)) now += 1ms;
      else
        now = std::clamp(std::min(client.stack.next_deadline(), server.stack.next_deadline()),
                         now + 1ms, end);
    }
  };
  run(1s);
  const auto in = server.stack.accept(listener).value();
  const std::string_view question = "hello";
  (void)client.stack.send(out, as_bytes(question), {}, now);
  (void)client.stack.close(out, now);
  run(1s);
  std::array<std::byte, 64> heard;
  const auto size = server.stack.receive(in, heard, now).value();
  std::printf("server  reads \"%.*s\"\n", int(size), reinterpret_cast<const char*>(heard.data()));
  (void)server.stack.close(in, now);
  run(120s);  // Two maximum segment lifetimes of TIME-WAIT lie in it.
  return size == question.size() && client.stack.snapshot(now).time_wait.empty() ? 0 : 1;
}
