// SPDX-License-Identifier: Apache-2.0
// Who stands at the other end of the demo's wire: the Linux kernel, or a second estab where no TUN
// device may be had. It has one listener and one connection, whose calls never block.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "estab/link/device.hpp"
#include "estab/stack/stack.hpp"

namespace estab::cli::demo {

// What the peer's program sees of urgent data.
struct Urgency {
  bool announced = false;  // It has been told that there are any.
  bool at_mark = false;    // The next octet that it reads is the last urgent one.
};

class Peer {
 public:
  virtual ~Peer() = default;
  [[nodiscard]] virtual std::string name() const = 0;
  // Our end of the wire to it; asked for once.
  [[nodiscard]] virtual std::unique_ptr<link::Device> take_device() = 0;

  // Its program's calls. Each throws Failure or std::system_error where it cannot be done.
  virtual void listen(Port port) = 0;
  virtual void stop_listening() = 0;
  virtual void connect(Port from, const Endpoint& to) = 0;
  [[nodiscard]] virtual bool accept() = 0;  // False: there is nothing yet.
  virtual void send(std::string_view text, bool urgent) = 0;
  [[nodiscard]] virtual std::string receive() = 0;  // What there is; empty: nothing, or the end.
  virtual void shutdown() = 0;
  [[nodiscard]] virtual Urgency urgency() = 0;

  // The state of its end; `flow` as it sees it. Without a connection: LISTEN or CLOSED.
  [[nodiscard]] virtual State state(const Flow& flow) = 0;
  // Lets it work until it waits for something, up to `real` milliseconds of real time; the time of
  // the scene is `now`.
  virtual void work(Instant now, int real) = 0;
  // When it has something to do in the scene's time; `never` where it has a time of its own.
  [[nodiscard]] virtual Instant next_deadline() const = 0;
  // What it holds, where it is a stack of ours; none: it is the kernel.
  [[nodiscard]] virtual std::function<Snapshot()> snapshots() = 0;
};

// The addresses of both ends.
inline constexpr Prefix peer_address{Address::v4(10, 77, 0, 1), 24};
inline constexpr Prefix our_address{Address::v4(10, 77, 0, 2), 24};

// The kernel, over a TUN device in this thread's network namespace.
[[nodiscard]] std::unique_ptr<Peer> kernel_peer();
// A second stack, over memory, in the scene's time. The pool outlives it.
[[nodiscard]] std::unique_ptr<Peer> twin_peer(PacketPool& pool);

// In which state `snapshot` has the flow's local end.
[[nodiscard]] State state_in(const Snapshot& snapshot, const Flow& flow);

}  // namespace estab::cli::demo
