// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <functional>
#include <memory>
#include <optional>

#include "estab/link/device.hpp"

namespace estab::runtime {

// One device and the waiting for it: `wake` is called, from the executor or from inside a call of
// the device, when there is something to receive or it has become ready to send. One thread.
class Waiter {
 public:
  Waiter(const boost::asio::any_io_executor& executor, std::unique_ptr<link::Device> device,
         std::function<void()> wake);
  ~Waiter();
  Waiter(Waiter&&) = delete;

  link::Device& device() { return *device_; }
  [[nodiscard]] const link::Device& device() const { return *device_; }

  // Wait on the descriptor, if there is one: each call asks for one wake, and waits that are
  // under way are not doubled.
  void wait_readable();
  void wait_writable();
  // Gives the waits up; a wake may be asked for again.
  void cancel();

 private:
  // Shared with the waits under way, which may outlive the waiter by a turn of the loop.
  struct Shared {
    std::function<void()> wake;
    bool reading = false, writing = false;
  };
  void wait(boost::asio::posix::stream_descriptor::wait_type what, bool Shared::* under_way);

  std::unique_ptr<link::Device> device_;
  std::shared_ptr<Shared> shared_;
  std::optional<boost::asio::posix::stream_descriptor> descriptor_;
};

}  // namespace estab::runtime
