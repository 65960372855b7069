// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "estab/net/host.hpp"
#include "estab/net/socket.hpp"
#include "estab/stack/stack.hpp"

namespace estab::net {

// Accepts connections at an endpoint of a host, in the spelling of boost::asio's acceptor.
// Thread-safety: as net::socket's.
class acceptor : public boost::asio::socket_base {
 public:
  using executor_type = boost::asio::any_io_executor;
  using protocol_type = boost::asio::ip::tcp;
  using endpoint_type = net::endpoint;
  // A peer whose SYN waits for the program's word, where a rule says Verdict::defer.
  struct deferred {
    endpoint_type local, remote;
    HalfOpenId id;
  };

  // Closed; and listening at once, or boost::system::system_error (address_in_use, …).
  explicit acceptor(host& host);
  acceptor(host& host, const endpoint_type& local, const ListenOptions& options = {});
  acceptor(acceptor&& other) noexcept;
  acceptor& operator=(acceptor&& other) noexcept;
  ~acceptor();

  [[nodiscard]] executor_type get_executor() const noexcept;
  [[nodiscard]] bool is_open() const;
  // Starts listening; port 0: an ephemeral one, which local_endpoint() tells.
  void listen(const endpoint_type& local, const ListenOptions& options, error_code& error);

  // The oldest connection of the accept queue: void(error_code, net::socket).
  template <class Token = boost::asio::default_completion_token_t<executor_type>>
    requires(!std::is_same_v<std::remove_cvref_t<Token>, socket>)
  auto async_accept(Token&& token = {}) {
    return boost::asio::async_initiate<Token, void(error_code, socket)>(
        [this](auto&& handler) {
          start_accept(detail::Handler<socket>{std::forward<decltype(handler)>(handler)});
        },
        token);
  }
  // The same into `peer`, whose own connection, if any, is closed: void(error_code).
  template <class Token = boost::asio::default_completion_token_t<executor_type>>
  auto async_accept(socket& peer, Token&& token = {}) {
    return boost::asio::async_initiate<Token, void(error_code)>(
        [this](auto&& handler, socket* into) {
          start_accept(*into, detail::Handler<>{std::forward<decltype(handler)>(handler)});
        },
        token, &peer);
  }
  // The oldest SYN that waits for decide(), as long as it is not decided: void(error_code,
  // deferred).
  template <class Token = boost::asio::default_completion_token_t<executor_type>>
  auto async_next_deferred(Token&& token = {}) {
    return boost::asio::async_initiate<Token, void(error_code, deferred)>(
        [this](auto&& handler) {
          start_next_deferred(detail::Handler<deferred>{std::forward<decltype(handler)>(handler)});
        },
        token);
  }
  // Accept, reject or drop it; not_connected when it has expired.
  void decide(const deferred& peer, Verdict verdict, error_code& error);

  // Completes the operations under way with operation_aborted; no connection is lost.
  void cancel();
  // Stops listening: half-open peers and connections not accepted are reset.
  void close();

  [[nodiscard]] endpoint_type local_endpoint() const;
  [[nodiscard]] ListenerInfo status() const;

 private:
  void start_accept(detail::Handler<socket> handler);
  void start_accept(socket& peer, detail::Handler<> handler);
  void start_next_deferred(detail::Handler<deferred> handler);
  detail::Listener& listener() const;

  std::shared_ptr<detail::HostCore> core_;
  mutable std::shared_ptr<detail::Listener> listener_;  // Made when first needed.
};

}  // namespace estab::net
