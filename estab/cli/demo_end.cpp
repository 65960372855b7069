// SPDX-License-Identifier: Apache-2.0
#include "estab/cli/demo_end.hpp"

#include <algorithm>
#include <array>
#include <type_traits>

#include "estab/cli/commands.hpp"
#include "estab/link/memory.hpp"

namespace estab::cli::demo {

State state_in(const Snapshot& snapshot, const Flow& flow) {
  for (const auto& connection : snapshot.connections)
    if (connection.flow == flow) return connection.state;
  const auto is_flow = [&](const auto& record) { return record.flow == flow; };
  if (std::ranges::any_of(snapshot.half_open, is_flow)) return State::syn_received;
  if (std::ranges::any_of(snapshot.time_wait, is_flow)) return State::time_wait;
  const bool listens = std::ranges::any_of(snapshot.listeners, [&](const ListenerInfo& listener) {
    return listener.local.port == flow.local.port;
  });
  return listens ? State::listen : State::closed;
}

End::End(PacketPool& pool, std::unique_ptr<link::Device> device, const Prefix& address,
         const Secrets& secrets)
    : pool_(pool), device_(std::move(device)), address_(address), stack_(pool, {}, secrets) {
  stack_.add_interface({.addresses = {address}, .mtu = device_->info().mtu});
}

template <class T>
T End::must(std::expected<T, Error> result, std::string_view call) const {
  if (!result) throw Failure(std::string(call) + ": " + std::string(message(result.error())));
  if constexpr (!std::is_void_v<T>) return *result;
}

void End::listen(Port port) {
  listener_ = must(stack_.listen({address_.address, port}, {}, now_), "listen");
}
void End::stop_listening() { must(stack_.close(listener_, now_), "close"); }
void End::connect(Port from, const Endpoint& to) {
  connection_ =
      must(stack_.connect({.remote = to, .local = {address_.address, from}, .options = {}}, now_),
           "connect");
}
bool End::accept() {
  const auto accepted = stack_.accept(listener_);
  if (!accepted && accepted.error() == Error::would_block) return false;
  connection_ = must(accepted, "accept");
  return true;
}
void End::send(std::string_view text, bool urgent) {
  must(stack_.send(connection_, std::as_bytes(std::span{text}), {.urgent = urgent}, now_), "send");
}
std::string End::receive() {
  std::array<std::byte, 4096> text;
  const auto size = stack_.receive(connection_, text, now_);
  if (!size && size.error() == Error::would_block) return {};
  return {reinterpret_cast<const char*>(text.data()), must(size, "receive")};
}
void End::shutdown() { must(stack_.shutdown(connection_, now_), "shutdown"); }
Urgency End::urgency() {
  return {.announced = urgent_, .at_mark = must(stack_.at_mark(connection_), "at_mark")};
}
std::string End::error() const {
  const auto error = stack_.error(connection_);
  return error == Error::none ? "" : std::string(message(error));
}

void End::show_to(View view) {
  view_ = std::move(view);
  stack_.log().enable();
}

void End::work(Instant now) {
  now_ = now;
  std::array<Packet, 16> batch;
  const auto arrived = std::span{batch}.first(device_->receive(pool_, batch, now_));
  for (auto& packet : arrived) packet.interface() = 0;
  stack_.receive(arrived, now_);
  if (!stack_.poll_transmit(*this, now_)) throw Failure("the device takes no packets");
  device_->flush();
  for (Notice notice; stack_.next_notice(notice);) urgent_ |= (notice.bits & notice::urgent) != 0;
  if (view_) stack_.log().drain(view_);
}

Instant End::next_deadline() const { return stack_.next_deadline(); }

namespace {

class Twin final : public Peer {
 public:
  explicit Twin(PacketPool& pool) : Twin(pool, link::memory_pair({.vouch = false})) {}

  [[nodiscard]] std::string name() const override { return "estab (2)"; }
  [[nodiscard]] std::unique_ptr<link::Device> take_device() override { return std::move(device_); }
  void listen(Port port) override { end_.listen(port); }
  void stop_listening() override { end_.stop_listening(); }
  void connect(Port from, const Endpoint& to) override { end_.connect(from, to); }
  bool accept() override { return end_.accept(); }
  void send(std::string_view text, bool urgent) override { end_.send(text, urgent); }
  std::string receive() override { return end_.receive(); }
  void shutdown() override { end_.shutdown(); }
  Urgency urgency() override { return end_.urgency(); }
  State state(const Flow& flow) override { return state_in(end_.snapshot(), flow); }
  void work(Instant now, int) override { end_.work(now); }
  [[nodiscard]] Instant next_deadline() const override { return end_.next_deadline(); }
  [[nodiscard]] std::function<Snapshot()> snapshots() override {
    return [this] { return end_.snapshot(); };
  }

 private:
  using Pair = std::pair<std::unique_ptr<link::Device>, std::unique_ptr<link::Device>>;
  Twin(PacketPool& pool, Pair pair)
      : device_(std::move(pair.first)),
        end_(pool, std::move(pair.second), peer_address, {.initial_sequence = {5, 6}}) {}

  std::unique_ptr<link::Device> device_;
  End end_;
};

}  // namespace

std::unique_ptr<Peer> twin_peer(PacketPool& pool) { return std::make_unique<Twin>(pool); }

}  // namespace estab::cli::demo
