// SPDX-License-Identifier: Apache-2.0
// Who plays in `estab demo syn-flood`: a server that is flooded, and real clients that try to reach
// it, each of them either a stack of ours or the kernel. No call blocks.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "estab/link/device.hpp"
#include "estab/observe/flood_listener.hpp"
#include "estab/stack/stack.hpp"

namespace estab::cli::demo {

inline constexpr Port flooded_port{80};
inline constexpr std::uint32_t flooded_limit = 128;    // Half-open records.
inline constexpr Duration client_patience = 1s;        // Then a client gives up.
inline constexpr std::string_view client_word = "hi";  // Real clients say something.

// A stack of ours on its device.
class OurStack : private PacketSink {
 public:
  // The pool outlives it.
  OurStack(PacketPool& pool, std::unique_ptr<link::Device> device, const Prefix& address,
           const StackConfig& config);
  Stack& stack() { return stack_; }
  PacketPool& pool() { return pool_; }
  [[nodiscard]] const Address& address() const { return address_.address; }
  // A packet as if it had come from the device, and one that leaves by it past the stack.
  void arrive(Packet packet, Instant now);
  void send(Packet packet, Instant now);
  // Takes what has arrived, sends what is owed.
  void work(Instant now);

 private:
  bool ready(std::uint8_t) override { return device_->ready(); }
  void transmit(Packet packet) override { device_->transmit(pool_, std::move(packet), now_); }

  PacketPool& pool_;
  std::unique_ptr<link::Device> device_;
  Prefix address_;
  Stack stack_;
  Instant now_{};
};

class FloodedServer {
 public:
  virtual ~FloodedServer() = default;
  virtual void work(Instant now) = 0;
  [[nodiscard]] virtual std::uint32_t half_open() = 0;
  [[nodiscard]] virtual std::string mode() = 0;
  // What the detector thinks; none: this server has none.
  [[nodiscard]] virtual const observe::FloodReport* report() = 0;
};

// Real clients: each connects, says a word and closes.
class RealClients {
 public:
  virtual ~RealClients() = default;
  virtual void begin(Instant now) = 0;
  virtual void work(Instant now) = 0;
  [[nodiscard]] std::size_t begun() const { return begun_; }
  [[nodiscard]] std::size_t failed() const { return failed_; }
  // How long each handshake took, in the order of their ends.
  [[nodiscard]] const std::vector<Duration>& latencies() const { return latencies_; }

 protected:
  std::size_t begun_ = 0, failed_ = 0;
  std::vector<Duration> latencies_;
};

// They use the stack, which outlives them.
[[nodiscard]] std::unique_ptr<FloodedServer> our_server(OurStack& stack, Instant now);
[[nodiscard]] std::unique_ptr<RealClients> our_clients(OurStack& stack, const Endpoint& server);
// The kernel, in this thread's network namespace; its SYN cookies are switched off there. Throws
// std::system_error where that may not be.
[[nodiscard]] std::unique_ptr<FloodedServer> kernel_server(const Address& local);
[[nodiscard]] std::unique_ptr<RealClients> kernel_clients(const Endpoint& server);

}  // namespace estab::cli::demo
