// SPDX-License-Identifier: Apache-2.0
// One shard: the event loop that binds devices, the steady clock and a Stack on a Boost.Asio
// executor. A turn of it takes a batch from each device, hands out notices, sends what is owed,
// shows the views what happened, and arms the next wake-up; it runs only when there is reason to.
// Everything happens on the one thread that runs the executor's context.
#pragma once
#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <system_error>
#include <thread>
#include <vector>

#include "estab/runtime/waiter.hpp"
#include "estab/stack/stack.hpp"

namespace estab::runtime {

class Shard : public std::enable_shared_from_this<Shard>, private PacketSink {
 public:
  using View = std::function<void(const Event&, Bytes packet)>;

  // What the shard tells its owner, in a turn of its own; never from inside the owner's call.
  struct Owner {
    virtual ~Owner() = default;
    virtual void notice(const Notice& notice) = 0;
    virtual void ended(std::error_code why) = 0;
  };

  // `owner` must live until end() was called. Owned by a shared_ptr.
  Shard(const boost::asio::any_io_executor& executor, const StackConfig& config,
        const Secrets& secrets, Owner& owner);
  ~Shard() override;

  // Adds the device as the stack's next interface; what the device can do is taken from its info().
  std::uint8_t add_device(std::unique_ptr<link::Device> device, std::vector<Prefix> addresses);
  // A view sees each event after the turn in which it happened, and of its packet at least the
  // first `octets`. What it throws ends the shard.
  void add_view(View view, std::uint32_t octets = 65535);

  Stack& stack() { return stack_; }
  [[nodiscard]] const Stack& stack() const { return stack_; }
  PacketPool& pool() { return pool_; }
  [[nodiscard]] const boost::asio::any_io_executor& executor() const { return executor_; }
  [[nodiscard]] const link::Device& device(std::uint8_t interface) const {
    return waiters_[interface]->device();
  }
  [[nodiscard]] static Instant now();

  // Asks for a turn soon; to be called after each call of the stack that may owe something.
  void wake();
  // While it is held, or a connection finishes in the background, the shard keeps the context
  // running: it waits for packets and deadlines. At rest it waits for nothing, so that run() can
  // return, and answers nobody.
  void hold();
  void release();

  // Sends what is owed if the devices take it at once, then lets go of them. Afterwards the stack
  // must not be called. Does nothing the second time.
  void end();
  [[nodiscard]] bool has_ended() const { return ended_; }

  // Whether this thread may call now: it is the one that runs the context, or none does.
  [[nodiscard]] bool in_turn() const;

 private:
  bool ready(std::uint8_t interface) override;
  void transmit(Packet packet) override;

  void post_turn();
  void turn();
  void exchange_packets();
  void receive_from(std::uint8_t interface);
  void give_back_memory();
  void dispatch_notices();
  void send_owed();
  void show_views();
  void wait_or_rest();
  void arm(Instant deadline);
  [[nodiscard]] bool at_rest() const;
  [[nodiscard]] Instant next_deadline() const;

  boost::asio::any_io_executor executor_;
  PacketPool& pool_;
  std::size_t peak_held_ = 0;  // Bytes, since memory was given back last.
  Instant trim_at_ = never;    // When to give it back.
  Stack stack_;
  Owner& owner_;
  std::vector<std::unique_ptr<Waiter>> waiters_;
  std::vector<View> views_;
  std::uint32_t octets_shown_ = 0;
  std::vector<Packet> batch_;
  boost::asio::steady_timer timer_;
  Instant armed_ = never;              // When the timer runs out; never: it does not run.
  boost::asio::any_io_executor work_;  // Tracks outstanding work while the shard does not rest.
  std::size_t holds_ = 0;
  unsigned yields_ = 0;
  bool turn_posted_ = false, blocked_ = false, ended_ = false;
  Instant now_{};                               // Of this turn.
  std::atomic<std::thread::id> loop_thread_{};  // Of the last turn.
};

}  // namespace estab::runtime
