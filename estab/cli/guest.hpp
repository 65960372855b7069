// SPDX-License-Identifier: Apache-2.0
// The connections that a server has accepted, and how they leave: when the server is to end, those
// that wait for their peer are told to stop waiting, those that are sending finish first.
#pragma once
#include <boost/asio/awaitable.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <set>

#include "estab/net/socket.hpp"

namespace estab::cli {

class Guests;

// One accepted connection. It lives in the coroutine that serves it.
class Guest {
 public:
  Guest(net::socket socket, std::shared_ptr<Guests> all);
  ~Guest();
  Guest(Guest&&) = delete;

  net::socket& socket() { return socket_; }
  [[nodiscard]] bool should_leave() const;

  // Waits for what the peer sends; read(error) starts it and writes how it went to `error`. It ends
  // with operation_aborted after `at_most`, or when the server is to end.
  template <class Read>
  boost::asio::awaitable<void> listen(Duration at_most, net::error_code& error, Read read) {
    if (should_leave()) {
      error = boost::asio::error::operation_aborted;
      co_return;
    }
    const Waiting waiting(*this, at_most);
    co_await read(boost::asio::redirect_error(boost::asio::use_awaitable, error));
  }
  // Our FIN follows what was written; then what the peer still sends is read and dropped, for a
  // while, lest a reset overtake what it has not read yet.
  boost::asio::awaitable<void> leave();

 private:
  friend class Guests;
  // While it lives, the read under way can be given up.
  struct Waiting {
    Waiting(Guest& guest, Duration at_most);
    ~Waiting();
    Waiting(Waiting&&) = delete;
    Guest& guest;
  };

  net::socket socket_;
  std::shared_ptr<Guests> all_;  // Coroutines may outlive the server by a little.
  boost::asio::steady_timer timer_;
  bool waiting_ = false;
};

class Guests {
 public:
  [[nodiscard]] bool are_to_leave() const { return leaving_; }
  void tell_to_leave();

 private:
  friend class Guest;
  std::set<Guest*> guests_;
  bool leaving_ = false;
};

}  // namespace estab::cli
