// SPDX-License-Identifier: Apache-2.0
#include "estab/cli/flood_ends.hpp"

#include <algorithm>
#include <array>
#include <map>

#include "estab/cli/commands.hpp"
#include "estab/host/entropy.hpp"

namespace estab::cli::demo {

OurStack::OurStack(PacketPool& pool, std::unique_ptr<link::Device> device, const Prefix& address,
                   const StackConfig& config)
    : pool_(pool),
      device_(std::move(device)),
      address_(address),
      stack_(pool, config, host::draw_random<Secrets>()) {
  stack_.add_interface({.addresses = {address}, .mtu = device_->info().mtu});
  stack_.add_route({Prefix{Address::v4(0, 0, 0, 0), 0}, 0});
}

void OurStack::arrive(Packet packet, Instant now) {
  packet.interface() = 0;
  stack_.receive({&packet, 1}, now);
}
void OurStack::send(Packet packet, Instant now) {
  device_->transmit(pool_, std::move(packet), now);
}

void OurStack::work(Instant now) {
  now_ = now;
  std::array<Packet, 64> batch;
  for (std::size_t n; (n = device_->receive(pool_, batch, now)) > 0;) {
    const auto arrived = std::span{batch}.first(n);
    for (auto& packet : arrived) packet.interface() = 0;
    stack_.receive(arrived, now);
  }
  (void)stack_.poll_transmit(*this, now);  // What the device cannot take now waits its turn.
  device_->flush();
}

namespace {

class OurServer final : public FloodedServer {
 public:
  OurServer(OurStack& ours, Instant now)
      : ours_(ours), local_{ours.address(), flooded_port}, watch_(draw_watch(local_)) {
    const auto listener = stack().listen(
        local_, {.backlog = 1024, .half_open_limit = flooded_limit, .rules = {}, .options = {}},
        now);
    if (!listener) throw Failure("listen: " + std::string(message(listener.error())));
    listener_ = *listener;
    stack().log().enable(0);
    gauge(now);
  }

  void work(Instant now) override {
    for (Notice n; stack().next_notice(n);) serve(n, now);
    watch_.advance(now, [this](const observe::FloodReport& report) {
      if (report.evidence.listener == local_) report_ = report;
    });
    stack().log().drain([this](const Event& event, Bytes) { observe::observe(watch_, event); });
    if (now - gauged_ >= 250ms) gauge(now);
  }
  std::uint32_t half_open() override { return stack().status(listener_)->half_open; }
  std::string mode() override { return std::string(name(stack().status(listener_)->mode)); }
  const observe::FloodReport* report() override { return &report_; }

 private:
  Stack& stack() { return ours_.stack(); }
  static observe::FloodWatch draw_watch(const Endpoint& listener) {
    return {host::draw_random<HashKey>(), observe::HandshakeSource::listener(), {&listener, 1}};
  }

  void gauge(Instant now) {
    gauged_ = now;
    observe::observe(watch_, stack().snapshot(now), Milliseconds{15s});
  }
  void serve(const Notice& n, Instant now) {
    if (n.bits & notice::acceptable)
      while (stack().accept(listener_)) {}
    if (n.connection == ConnectionId{}) return;
    std::array<std::byte, 64> text;
    while (stack().receive(n.connection, text, now).value_or(0) > 0) {}
    if (n.bits & (notice::peer_closed | notice::closed)) (void)stack().close(n.connection, now);
  }

  OurStack& ours_;
  Endpoint local_;
  ListenerId listener_;
  observe::FloodWatch watch_;
  observe::FloodReport report_;
  Instant gauged_{};
};

class OurClients final : public RealClients {
 public:
  OurClients(OurStack& ours, const Endpoint& server) : ours_(ours), server_(server) {}

  void begin(Instant now) override {
    ++begun_;
    const auto id = ours_.stack().connect({.remote = server_, .local = {}, .options = {}}, now);
    if (id) open_[id->index] = {*id, now};
    else ++failed_;
  }
  void work(Instant now) override {
    for (Notice n; ours_.stack().next_notice(n);) go_on(n, now);
    std::erase_if(open_, [&](const auto& entry) {
      if (now - entry.second.began < client_patience) return false;
      (void)ours_.stack().abort(entry.second.id, now);
      return ++failed_, true;
    });
  }

 private:
  struct Attempt {
    ConnectionId id;
    Instant began;
  };
  void go_on(const Notice& n, Instant now) {
    const auto found = open_.find(n.connection.index);
    if (found == open_.end() || found->second.id != n.connection) return;
    if (n.bits & notice::connected) {
      latencies_.push_back(now - found->second.began);
      (void)ours_.stack().send(n.connection, std::as_bytes(std::span{client_word}), {}, now);
    } else if (n.bits & notice::closed) {
      ++failed_;
    } else {
      return;
    }
    (void)ours_.stack().close(n.connection, now);
    open_.erase(found);
  }

  OurStack& ours_;
  Endpoint server_;
  std::map<std::uint32_t, Attempt> open_;
};

}  // namespace

std::unique_ptr<FloodedServer> our_server(OurStack& stack, Instant now) {
  return std::make_unique<OurServer>(stack, now);
}
std::unique_ptr<RealClients> our_clients(OurStack& stack, const Endpoint& server) {
  return std::make_unique<OurClients>(stack, server);
}

}  // namespace estab::cli::demo
