// SPDX-License-Identifier: Apache-2.0
// How each operation of a connection is tried: the one place that asks the stack.
#include <utility>

#include "estab/net/connection.hpp"
#include "estab/net/error.hpp"

namespace estab::net::detail {
namespace asio = boost::asio;
namespace {

// The peer's FIN has arrived.
constexpr StateSet peer_is_done =
    State::close_wait | State::closing | State::last_ack | State::time_wait | State::closed;

MutableBytes bytes_of(const asio::mutable_buffer& b) {
  return {static_cast<std::byte*>(b.data()), b.size()};
}
Bytes bytes_of(const asio::const_buffer& b) {
  return {static_cast<const std::byte*>(b.data()), b.size()};
}

// The peer has acknowledged our FIN, and so all that we have sent.
constexpr StateSet fin_is_acknowledged = State::fin_wait_2 | State::time_wait | State::closed;

constexpr bool ends_connection(Error error) {
  using enum Error;
  return error == refused || error == reset || error == aborted || error == timed_out ||
         error == unreachable;
}

}  // namespace

std::optional<Connection::Outcome> Connection::attempt(const Operation& operation) {
  switch (operation.kind) {
    case Kind::connect:      return attempt_connect();
    case Kind::read:         return attempt_read(std::get<MutableBuffers>(operation.buffers));
    case Kind::write:        return attempt_write(std::get<ConstBuffers>(operation.buffers), false);
    case Kind::write_urgent: return attempt_write(std::get<ConstBuffers>(operation.buffers), true);
    case Kind::wait_read:    return attempt_wait_read();
    case Kind::wait_write:   return attempt_wait_write();
    case Kind::wait_error:   return attempt_wait_error();
    case Kind::wait_urgent:  return attempt_wait_urgent();
    case Kind::linger:       return attempt_linger();
  }
  std::unreachable();
}

// What the program is told of an error; nothing: it is to wait. What ended the connection is told
// once, to all that wait then; afterwards there is no connection.
std::optional<Connection::Outcome> Connection::failed(Error error) {
  if (error == Error::would_block) return std::nullopt;
  if (ends_connection(error)) note_end(error);
  if (!ended_ || error == Error::shut_down) return Outcome{to_error_code(error)};
  told_ = true;
  return Outcome{failure_};
}

std::optional<Connection::Outcome> Connection::attempt_connect() {
  if (connected_) return Outcome{};
  if (!ended_) return std::nullopt;
  told_ = true;
  return Outcome{failure_};
}

std::optional<Connection::Outcome> Connection::attempt_read(const MutableBuffers& buffers) {
  if (buffers.empty()) return Outcome{};
  if (!id_ || !connected_) return Outcome{asio::error::not_connected};
  std::size_t total = 0;
  for (const auto& buffer : buffers) {
    const auto out = bytes_of(buffer);
    const auto count = core_->stack().receive(*id_, out, runtime::Shard::now());
    const bool at_end = count ? *count == 0 : read_shut_ && count.error() == Error::would_block;
    if (count) total += *count;
    if (total > 0 && (!count || *count < out.size())) break;
    if (at_end) return Outcome{asio::error::eof};
    if (!count) return failed(count.error());
  }
  core_->shard().wake();
  return Outcome{{}, total};
}

std::optional<Connection::Outcome> Connection::attempt_write(const ConstBuffers& buffers,
                                                             bool urgent) {
  if (buffers.empty()) return Outcome{};
  if (!id_ || !connected_) return Outcome{asio::error::not_connected};
  std::size_t total = 0;
  for (const auto& buffer : buffers) {
    const auto text = bytes_of(buffer);
    const bool last = &buffer + 1 == buffers.end();
    const SendFlags flags{.push = last, .urgent = urgent && last, .more = !last};
    const auto count = core_->stack().send(*id_, text, flags, runtime::Shard::now());
    if (count) total += *count;
    if (total > 0 && (!count || *count < text.size())) break;
    if (!count) return failed(count.error());
  }
  core_->shard().wake();
  return Outcome{{}, total};
}

// A wait is over when the call that it waits for would not block, be it with an error.
std::optional<Connection::Outcome> Connection::attempt_wait_read() {
  if (!id_ || !connected_) return Outcome{asio::error::not_connected};
  if (ended_ || read_shut_ || available().value_or(0) > 0) return Outcome{};
  // There is nothing to take: this asks for the end, an error, or the notice.
  std::byte none[1];
  const auto count = core_->stack().receive(*id_, none, runtime::Shard::now());
  if (!count && count.error() == Error::would_block) return std::nullopt;
  return Outcome{};
}

std::optional<Connection::Outcome> Connection::attempt_wait_write() {
  if (!id_ || !connected_) return Outcome{asio::error::not_connected};
  const auto info = status();
  if (ended_ || !info || info->send_queue < info->send_limit) return Outcome{};
  // The buffer takes nothing: this asks for the notice, or meets an error.
  const std::byte none[1]{};
  const auto count = core_->stack().send(*id_, none, {}, runtime::Shard::now());
  if (!count && count.error() == Error::would_block) return std::nullopt;
  return Outcome{};
}

std::optional<Connection::Outcome> Connection::attempt_wait_error() {
  if (!id_ || !connected_) return Outcome{asio::error::not_connected};
  if (!ended_ && !complaint_) return std::nullopt;
  return Outcome{};
}

std::optional<Connection::Outcome> Connection::attempt_wait_urgent() {
  if (!id_ || !connected_) return Outcome{asio::error::not_connected};
  const auto left = urgent_remaining();
  if (!left) return failed(left.error());
  if (*left > 0) return Outcome{};
  if (ended_) return told_ = true, Outcome{failure_};
  const auto info = status();
  if (!info || peer_is_done.contains(info->state)) return Outcome{asio::error::eof};
  return std::nullopt;
}

std::optional<Connection::Outcome> Connection::attempt_linger() {
  if (!id_ || !connected_) return Outcome{asio::error::not_connected};
  const auto now = runtime::Shard::now();
  // Text that nobody will read makes close() a reset (SHLD-3): there is nothing to wait for.
  if (available().value_or(0) > 0) return Outcome{asio::error::connection_aborted};
  const auto info = status();
  if (!ended_ && info && !fin_is_acknowledged.contains(info->state)) {
    if (const auto done = core_->stack().shutdown(*id_, now);
        !done && done.error() != Error::shut_down)
      return failed(done.error());
    core_->shard().wake();
    return std::nullopt;
  }
  return Outcome{ended_ ? failure_ : error_code{}};
}

}  // namespace estab::net::detail
