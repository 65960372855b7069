// SPDX-License-Identifier: Apache-2.0
#include "estab/cli/guest.hpp"

#include <array>

namespace estab::cli {
namespace asio = boost::asio;
namespace {

constexpr auto leave_patience = 5s;

}  // namespace

Guest::Guest(net::socket socket, std::shared_ptr<Guests> all)
    : socket_(std::move(socket)), all_(std::move(all)), timer_(socket_.get_executor()) {
  all_->guests_.insert(this);
}

Guest::~Guest() { all_->guests_.erase(this); }

bool Guest::should_leave() const { return all_->are_to_leave(); }

Guest::Waiting::Waiting(Guest& waiting, Duration at_most) : guest(waiting) {
  guest.waiting_ = true;
  guest.timer_.expires_after(at_most);
  guest.timer_.async_wait([&socket = guest.socket_](net::error_code error) {
    if (!error) socket.cancel();
  });
}

Guest::Waiting::~Waiting() {
  guest.waiting_ = false;
  guest.timer_.cancel();
}

asio::awaitable<void> Guest::leave() {
  net::error_code error;
  socket_.shutdown(net::socket::shutdown_send, error);
  const Waiting waiting(*this, leave_patience);
  waiting_ = false;  // The server's end gives it the same time.
  std::array<std::byte, 4096> dropped;
  while (!error)
    co_await socket_.async_read_some(asio::buffer(dropped),
                                     asio::redirect_error(asio::use_awaitable, error));
}

void Guests::tell_to_leave() {
  leaving_ = true;
  for (Guest* guest : guests_)
    if (guest->waiting_) guest->socket_.cancel();
}

}  // namespace estab::cli
