// SPDX-License-Identifier: Apache-2.0
#include "estab/runtime/waiter.hpp"

namespace estab::runtime {

using boost::asio::posix::stream_descriptor;

Waiter::Waiter(const boost::asio::any_io_executor& executor, std::unique_ptr<link::Device> device,
               std::function<void()> wake)
    : device_(std::move(device)), shared_(std::make_shared<Shared>(std::move(wake))) {
  if (device_->descriptor() >= 0) descriptor_.emplace(executor, device_->descriptor());
  device_->on_ready(shared_->wake);
}

Waiter::~Waiter() {
  device_->on_ready({});
  shared_->wake = nullptr;
  // The descriptor is the device's to close; what waits for it is cancelled here.
  if (descriptor_) descriptor_->release();
}

void Waiter::wait_readable() { wait(stream_descriptor::wait_read, &Shared::reading); }
void Waiter::wait_writable() { wait(stream_descriptor::wait_write, &Shared::writing); }

void Waiter::wait(stream_descriptor::wait_type what, bool Shared::* under_way) {
  if (!descriptor_ || std::exchange((*shared_).*under_way, true)) return;
  descriptor_->async_wait(what, [shared = shared_, under_way](boost::system::error_code) {
    // A cancelled wait wakes as well: whoever asked again meanwhile was told that one is under way.
    (*shared).*under_way = false;
    if (shared->wake) shared->wake();
  });
}

void Waiter::cancel() {
  if (descriptor_) descriptor_->cancel();
}

}  // namespace estab::runtime
