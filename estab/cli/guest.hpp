// SPDX-License-Identifier: Apache-2.0
// The connections that a server has accepted, and how they leave. When the server is to end, those
// that wait for their peer are told to stop waiting; those that are sending finish first. A
// connection that makes its server wait too long is ended, counted and named.
#pragma once
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <optional>
#include <set>

#include "estab/cli/journal.hpp"
#include "estab/net/socket.hpp"

namespace estab::cli {

class Guests;

// Why a server ends a connection that has done nothing wrong but wait.
// Memory: the stack's ran short, and it was the connection longest without progress.
enum class Overdue : std::uint8_t { idle, request, write, memory };

// One accepted connection. It lives in the coroutine that serves it.
class Guest {
 public:
  Guest(net::socket socket, std::shared_ptr<Guests> all);
  ~Guest();
  Guest(Guest&&) = delete;

  net::socket& socket() { return socket_; }
  [[nodiscard]] bool should_leave() const;

  // Waits for what the peer sends; read(error) starts it and writes how it went to `error`. It ends
  // with operation_aborted after `at_most` (0: never), and returns true then; also when the server
  // is to end.
  template <class Read>
  boost::asio::awaitable<bool> listen(Duration at_most, net::error_code& error, Read read) {
    if (should_leave()) {
      error = boost::asio::error::operation_aborted;
      co_return false;
    }
    const Waiting waiting(*this, at_most);
    waiting_ = &waiting;
    co_await read(boost::asio::redirect_error(boost::asio::use_awaitable, error));
    waiting_ = nullptr;
    co_return waiting.has_run_out() && error == boost::asio::error::operation_aborted;
  }
  // Our FIN follows what was written; then what the peer still sends is read and dropped, for a
  // while, lest a reset overtake what it has not read yet.
  boost::asio::awaitable<void> leave();

  // Counts and says why this connection is ended.
  void note(Overdue why) const;
  // The same where `error`, of an operation that met the end of the connection, says that the stack
  // ended it: timed_out by the write timeout, connection_aborted for memory.
  void note_end(const net::error_code& error) const;

 private:
  friend class Guests;
  // While it lives, the read under way ends when the time is up. Its timer's handler may be queued
  // already when it is destroyed, and then finds nothing to cancel.
  class Waiting {
   public:
    Waiting(Guest& guest, Duration at_most);
    Waiting(Waiting&&) = delete;
    [[nodiscard]] bool has_run_out() const { return state_->has_run_out; }

   private:
    struct State {
      Guest& guest;
      bool has_run_out = false;
    };
    std::shared_ptr<State> state_;
    boost::asio::steady_timer timer_;
  };

  net::socket socket_;
  std::shared_ptr<Guests> all_;  // Coroutines may outlive the server by a little.
  std::optional<Endpoint> peer_;
  const Waiting* waiting_ = nullptr;  // What the server's end cuts short.
};

class Guests {
 public:
  explicit Guests(boost::asio::io_context& io) : journal_(io) {}
  [[nodiscard]] bool are_to_leave() const { return leaving_; }
  void tell_to_leave();
  // "3 connections were ended: 1 idle, 2 took no byte in time"; empty where none was.
  [[nodiscard]] std::string summary() const;

 private:
  friend class Guest;
  std::set<Guest*> guests_;
  Journal journal_;
  std::uint64_t idle_ = 0, request_ = 0, write_ = 0, memory_ = 0;  // Those who were overdue.
  bool leaving_ = false;
};

}  // namespace estab::cli
