// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <string_view>

#include "estab/cli/demo_peer.hpp"

namespace estab::cli::demo {

// An end that is a stack of ours: its device, and the calls of a program with one listener and one
// connection.
class End : private PacketSink {
 public:
  // The pool outlives it.
  End(PacketPool& pool, std::unique_ptr<link::Device> device, const Prefix& address,
      const Secrets& secrets);

  void listen(Port port);
  void stop_listening();
  void connect(Port from, const Endpoint& to);
  [[nodiscard]] bool accept();
  void send(std::string_view text, bool urgent);
  [[nodiscard]] std::string receive();
  void shutdown();
  [[nodiscard]] Urgency urgency();
  // What ended the connection, in words; "" if nothing has.
  [[nodiscard]] std::string error() const;
  [[nodiscard]] Snapshot snapshot() const { return stack_.snapshot(now_); }

  // Each event of the stack, from now on, after it has happened.
  using View = std::function<void(const Event& event, Bytes packet)>;
  void show_to(View view);

  // Takes what has arrived, sends what is owed.
  void work(Instant now);
  [[nodiscard]] Instant next_deadline() const;

 private:
  bool ready(std::uint8_t) override { return device_->ready(); }
  void transmit(Packet packet) override { device_->transmit(pool_, std::move(packet), now_); }
  template <class T>
  T must(std::expected<T, Error> result, std::string_view call) const;

  PacketPool& pool_;
  std::unique_ptr<link::Device> device_;
  Prefix address_;
  Stack stack_;
  Instant now_{};
  ListenerId listener_;
  ConnectionId connection_;
  View view_;
  bool urgent_ = false;
};

}  // namespace estab::cli::demo
