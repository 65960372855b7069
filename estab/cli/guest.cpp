// SPDX-License-Identifier: Apache-2.0
#include "estab/cli/guest.hpp"

#include <fmt/format.h>

#include <array>

namespace estab::cli {
namespace asio = boost::asio;
namespace {

constexpr auto leave_patience = 5s;

// On the stack of the call, not in the coroutine's frame: a client that waits takes no buffer.
void drop_what_came(net::socket& socket, net::error_code& error) {
  std::array<std::byte, 4096> dropped;
  socket.read_some(asio::buffer(dropped), error);
  if (error == asio::error::would_block) error = {};
}

}  // namespace

Guest::Guest(net::socket socket, std::shared_ptr<Guests> all)
    : socket_(std::move(socket)), all_(std::move(all)) {
  net::error_code gone;
  const auto peer = socket_.remote_endpoint(gone);
  if (!gone) peer_ = net::to_core(peer);
  all_->guests_.insert(this);
}

Guest::~Guest() { all_->guests_.erase(this); }

bool Guest::should_leave() const { return all_->are_to_leave(); }

Guest::Waiting::Waiting(Guest& guest, Duration at_most)
    : state_(std::make_shared<State>(guest)), timer_(guest.socket_.get_executor()) {
  if (at_most <= Duration{}) return;
  timer_.expires_after(at_most);
  timer_.async_wait([weak = std::weak_ptr(state_)](net::error_code cancelled) {
    const auto state = weak.lock();
    if (cancelled || !state) return;
    state->has_run_out = true;
    state->guest.socket_.cancel();
  });
}

// The server's end gives it the same time, so nothing cuts it short.
asio::awaitable<void> Guest::leave() {
  net::error_code error;
  socket_.shutdown(net::socket::shutdown_send, error);
  const Waiting waiting(*this, leave_patience);
  while (!error) {
    co_await socket_.async_wait(net::socket::wait_read,
                                asio::redirect_error(asio::use_awaitable, error));
    if (!error) drop_what_came(socket_, error);
  }
}

void Guest::note(Overdue why) const {
  const auto who = peer_ ? peer_->to_string() : "a connection";
  switch (why) {
    case Overdue::idle: ++all_->idle_; return;  // As usual at the end of a kept connection.
    case Overdue::request:
      ++all_->request_;
      return all_->journal_.say("request", who + " sent no whole request in time; it is closed");
    case Overdue::write:
      ++all_->write_;
      return all_->journal_.say("write", who + " acknowledged no byte in time; it is reset");
    case Overdue::memory:
      ++all_->memory_;
      return all_->journal_.say(
          "memory",
          who + " made no progress, and memory is short; it is reset, so that others may come");
  }
}

void Guest::note_end(const net::error_code& error) const {
  if (error == asio::error::timed_out) note(Overdue::write);
  else if (error == asio::error::connection_aborted) note(Overdue::memory);
}

void Guests::tell_to_leave() {
  leaving_ = true;
  for (Guest* guest : guests_)
    if (guest->waiting_ != nullptr) guest->socket_.cancel();
}

std::string Guests::summary() const {
  const auto all = idle_ + request_ + write_ + memory_;
  if (all == 0) return "";
  auto text =
      fmt::format("{} connection{} ended for lack of progress", all, all == 1 ? " was" : "s were");
  const auto add = [&](std::uint64_t count, std::string_view what) {
    if (count > 0) text += fmt::format(", {} {}", count, what);
  };
  add(idle_, "idle");
  add(request_, "without a whole request");
  add(write_, "that acknowledged no byte");
  add(memory_, "for want of memory");
  return text;
}

}  // namespace estab::cli
