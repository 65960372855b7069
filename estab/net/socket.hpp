// SPDX-License-Identifier: Apache-2.0
// A TCP connection by Boost.Asio's contracts: AsyncReadStream and AsyncWriteStream, with the
// spelling of boost::asio::ip::tcp::socket.
#pragma once
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/socket_base.hpp>
#include <boost/system/system_error.hpp>
#include <memory>

#include "estab/event/snapshot.hpp"
#include "estab/net/endpoint.hpp"
#include "estab/net/operation.hpp"
#include "estab/tcp/config.hpp"

namespace estab::net {

class host;
namespace detail {
class Connection;
class HostCore;
class Listener;
}  // namespace detail

// How a connection ends. Four calls, four meanings:
//   shutdown(send)  our FIN follows what was written; reading goes on as long as the peer writes;
//   close()         the program lets go: what was written and a FIN are delivered in the
//                   background, but text unread or still to come is answered with a reset;
//   async_close(t)  as shutdown(send), then waits, at most t, until the peer has acknowledged all;
//   abort()         a reset, now; what was written may be lost.
// The destructor is close(). Operations under way complete with operation_aborted.
//
// An operation's handler is never called inside the call that starts it. After the connection has
// failed, the operations then under way (or else the next one) complete with what ended it; later
// ones with not_connected. Reading meets `eof` at the peer's FIN; writing goes on.
//
// Thread-safety: none, not even of distinct objects of one host: all calls are made from the
// thread that runs the host's execution context (checked by assertion), or while none does.
class socket : public boost::asio::socket_base {
 public:
  using executor_type = boost::asio::any_io_executor;
  using lowest_layer_type = socket;
  using protocol_type = boost::asio::ip::tcp;
  using endpoint_type = net::endpoint;

  // Not connected yet.
  explicit socket(host& host);
  socket(socket&& other) noexcept;
  socket& operator=(socket&& other) noexcept;
  ~socket();

  [[nodiscard]] executor_type get_executor() const noexcept;
  lowest_layer_type& lowest_layer() { return *this; }
  [[nodiscard]] const lowest_layer_type& lowest_layer() const { return *this; }
  // Whether a connection is open, or opening.
  [[nodiscard]] bool is_open() const;

  // Opens a connection: void(error_code). Cancelling gives the attempt up.
  template <class Token = boost::asio::default_completion_token_t<executor_type>>
  auto async_connect(const endpoint_type& remote, Token&& token = {}) {
    return boost::asio::async_initiate<Token, void(error_code)>(
        [this](auto&& handler, const endpoint_type& to) {
          start_connect(to, detail::Handler<>{std::forward<decltype(handler)>(handler)});
        },
        token, remote);
  }
  // The local end that the next async_connect() uses; address unspecified or port 0: any.
  void bind(const endpoint_type& local) { bound_ = local; }

  // Reads what is there, at least one octet: void(error_code, std::size_t).
  template <class MutableBufferSequence,
            class Token = boost::asio::default_completion_token_t<executor_type>>
  auto async_read_some(const MutableBufferSequence& buffers, Token&& token = {}) {
    return boost::asio::async_initiate<Token, void(error_code, std::size_t)>(
        [this](auto&& handler, const detail::MutableBuffers& list) {
          start_read(list, detail::IoHandler{std::forward<decltype(handler)>(handler)});
        },
        token, detail::MutableBuffers{buffers});
  }
  // Writes as much as the send buffer takes, at least one octet: void(error_code, std::size_t).
  template <class ConstBufferSequence,
            class Token = boost::asio::default_completion_token_t<executor_type>>
  auto async_write_some(const ConstBufferSequence& buffers, Token&& token = {}) {
    return async_write_flags<Token>(buffers, false, token);
  }
  // As async_write_some; the last octet written is the last urgent one (RFC 9293 §3.8.5).
  template <class ConstBufferSequence,
            class Token = boost::asio::default_completion_token_t<executor_type>>
  auto async_write_some_urgent(const ConstBufferSequence& buffers, Token&& token = {}) {
    return async_write_flags<Token>(buffers, true, token);
  }
  // The same without waiting: error would_block. For use after async_wait().
  template <class MutableBufferSequence>
  std::size_t read_some(const MutableBufferSequence& buffers, error_code& error) {
    return try_read(detail::MutableBuffers{buffers}, error);
  }
  template <class ConstBufferSequence>
  std::size_t write_some(const ConstBufferSequence& buffers, error_code& error) {
    return try_write(detail::ConstBuffers{buffers}, error);
  }

  // Waits until the socket can be read or written without waiting, or (wait_error) until the
  // connection failed or there is a complaint(): void(error_code).
  template <class Token = boost::asio::default_completion_token_t<executor_type>>
  auto async_wait(wait_type what, Token&& token = {}) {
    return boost::asio::async_initiate<Token, void(error_code)>(
        [this](auto&& handler, wait_type w) {
          start_wait(w, detail::Handler<>{std::forward<decltype(handler)>(handler)});
        },
        token, what);
  }
  // Waits until there is urgent text to read, or `eof`: void(error_code).
  template <class Token = boost::asio::default_completion_token_t<executor_type>>
  auto async_wait_urgent(Token&& token = {}) {
    return boost::asio::async_initiate<Token, void(error_code)>(
        [this](auto&& handler) {
          start_wait_urgent(detail::Handler<>{std::forward<decltype(handler)>(handler)});
        },
        token);
  }
  // Octets until the end of what is urgent, 0: none; and whether the next octet to read is the
  // last urgent one. A read stops before that octet. Nothing of this is an error.
  [[nodiscard]] std::size_t urgent_remaining() const;
  [[nodiscard]] bool at_mark() const;
  // Octets that can be read without waiting.
  [[nodiscard]] std::size_t available() const;

  // See above. Each overload without an error_code throws boost::system::system_error.
  void shutdown(shutdown_type what);
  void shutdown(shutdown_type what, error_code& error);
  void close();
  void close(error_code& error) { close(), error = {}; }
  void abort();
  // Closes and waits: success, or timed_out (the rest goes on in the background), or what ended
  // the connection: void(error_code). The socket is closed, and may be used anew, at once.
  template <class Token = boost::asio::default_completion_token_t<executor_type>>
  auto async_close(Duration at_most, Token&& token = {}) {
    return boost::asio::async_initiate<Token, void(error_code)>(
        [this](auto&& handler, Duration time) {
          start_linger(time, detail::Handler<>{std::forward<decltype(handler)>(handler)});
        },
        token, at_most);
  }
  // Completes all operations under way with operation_aborted; no octet is lost.
  void cancel();
  void cancel(error_code& error) { cancel(), error = {}; }

  [[nodiscard]] endpoint_type local_endpoint() const;
  [[nodiscard]] endpoint_type local_endpoint(error_code& error) const;
  [[nodiscard]] endpoint_type remote_endpoint() const;
  [[nodiscard]] endpoint_type remote_endpoint(error_code& error) const;
  // STATUS of RFC 9293 §3.9.1; not_connected without a connection.
  [[nodiscard]] ConnectionInfo status(error_code& error) const;
  [[nodiscard]] ConnectionInfo status() const;
  // What the network last complained of (timed_out: retransmissions passed R1), or what ended
  // the connection; success: nothing.
  [[nodiscard]] error_code complaint() const;

  // All of TCP's settings; without a connection: those of the next one.
  [[nodiscard]] tcp::Options options() const;
  void set_options(const tcp::Options& options);
  // Boost.Asio's: tcp::no_delay, keep_alive, send_buffer_size, receive_buffer_size; others are
  // refused with no_protocol_option.
  template <class Option>
  void set_option(const Option& option, error_code& error) {
    const auto p = protocol_type::v6();
    error = set_raw_option(option.level(p), option.name(p), option.data(p), option.size(p));
  }
  template <class Option>
  void set_option(const Option& option) {
    error_code error;
    set_option(option, error);
    throw_if(error);
  }
  template <class Option>
  void get_option(Option& option, error_code& error) const {
    const auto p = protocol_type::v6();
    error = get_raw_option(option.level(p), option.name(p), option.data(p), option.size(p));
  }
  template <class Option>
  void get_option(Option& option) const {
    error_code error;
    get_option(option, error);
    throw_if(error);
  }

 private:
  friend class detail::Listener;
  socket(std::shared_ptr<detail::HostCore> core, std::shared_ptr<detail::Connection> connection);

  template <class Token, class ConstBufferSequence>
  auto async_write_flags(const ConstBufferSequence& buffers, bool urgent,
                         std::remove_reference_t<Token>& token) {
    return boost::asio::async_initiate<Token, void(error_code, std::size_t)>(
        [this](auto&& handler, const detail::ConstBuffers& list, bool is_urgent) {
          start_write(list, is_urgent, detail::IoHandler{std::forward<decltype(handler)>(handler)});
        },
        token, detail::ConstBuffers{buffers}, urgent);
  }
  static void throw_if(const error_code& error) {
    if (error) throw boost::system::system_error{error};
  }

  void start_connect(const endpoint_type& remote, detail::Handler<> handler);
  void start_read(const detail::MutableBuffers& buffers, detail::IoHandler handler);
  void start_write(const detail::ConstBuffers& buffers, bool urgent, detail::IoHandler handler);
  void start_wait(wait_type what, detail::Handler<> handler);
  void start_wait_urgent(detail::Handler<> handler);
  void start_linger(Duration time, detail::Handler<> handler);
  std::size_t try_read(const detail::MutableBuffers& buffers, error_code& error);
  std::size_t try_write(const detail::ConstBuffers& buffers, error_code& error);
  error_code set_raw_option(int level, int name, const void* data, std::size_t size);
  error_code get_raw_option(int level, int name, void* data, std::size_t size) const;
  detail::Connection& connection() const;

  std::shared_ptr<detail::HostCore> core_;
  mutable std::shared_ptr<detail::Connection> connection_;  // Made when first needed.
  std::optional<endpoint_type> bound_;
};

}  // namespace estab::net
