// SPDX-License-Identifier: Apache-2.0
#include "estab/net/socket.hpp"

#include "estab/net/connection.hpp"
#include "estab/net/error.hpp"
#include "estab/net/host.hpp"

namespace estab::net {
namespace asio = boost::asio;
namespace {

// The value, or a default one and the error.
template <class T>
T value_or_error(std::expected<T, Error> result, error_code& error) {
  error = result ? error_code{} : to_error_code(result.error());
  return result ? std::move(*result) : T{};
}

}  // namespace

using detail::Connection;

socket::socket(host& host) : core_(host.core_) {}
socket::socket(std::shared_ptr<detail::HostCore> core, std::shared_ptr<Connection> connection)
    : core_(std::move(core)), connection_(std::move(connection)) {}

// A moved-from socket is as one just made for the same host.
socket::socket(socket&& other) noexcept
    : core_(other.core_),
      connection_(std::move(other.connection_)),
      bound_(std::exchange(other.bound_, std::nullopt)) {}

socket& socket::operator=(socket&& other) noexcept {
  if (this == &other) return *this;
  close();
  core_ = other.core_;
  connection_ = std::move(other.connection_);
  bound_ = std::exchange(other.bound_, std::nullopt);
  return *this;
}

socket::~socket() { close(); }

socket::executor_type socket::get_executor() const noexcept { return core_->executor(); }

Connection& socket::connection() const {
  if (!connection_) connection_ = std::make_shared<Connection>(core_);
  return *connection_;
}

bool socket::is_open() const { return connection_ && connection_->is_open(); }

void socket::start_connect(const endpoint& remote, detail::Handler<> handler) {
  std::optional<Endpoint> local;
  if (bound_) local = to_core(*bound_);
  connection().connect(remote, local, std::move(handler));
}
void socket::start_read(const detail::MutableBuffers& buffers, detail::IoHandler handler) {
  connection().read(buffers, std::move(handler));
}
void socket::start_write(const detail::ConstBuffers& buffers, bool urgent,
                         detail::IoHandler handler) {
  const auto kind = urgent ? Connection::Kind::write_urgent : Connection::Kind::write;
  connection().write(kind, buffers, std::move(handler));
}
void socket::start_wait(wait_type what, detail::Handler<> handler) {
  using enum Connection::Kind;
  const auto kind = what == socket_base::wait_read    ? wait_read
                    : what == socket_base::wait_write ? wait_write
                                                      : wait_error;
  connection().wait(kind, std::move(handler));
}
void socket::start_wait_urgent(detail::Handler<> handler) {
  connection().wait(Connection::Kind::wait_urgent, std::move(handler));
}
void socket::start_linger(Duration time, detail::Handler<> handler) {
  connection().linger(time, std::move(handler));
  connection_.reset();
}

std::size_t socket::try_read(const detail::MutableBuffers& buffers, error_code& error) {
  const auto outcome = connection().try_read(buffers);
  error = outcome.error;
  return outcome.octets;
}
std::size_t socket::try_write(const detail::ConstBuffers& buffers, error_code& error) {
  const auto outcome = connection().try_write(buffers);
  error = outcome.error;
  return outcome.octets;
}

std::size_t socket::urgent_remaining() const { return connection().urgent_remaining().value_or(0); }
bool socket::at_mark() const { return connection().at_mark().value_or(false); }
std::size_t socket::available() const { return connection().available().value_or(0); }

void socket::shutdown(shutdown_type what, error_code& error) {
  error = connection().shutdown(what);
}
void socket::shutdown(shutdown_type what) { throw_if(connection().shutdown(what)); }
void socket::close() {
  if (connection_) connection_->close();
}
void socket::abort() {
  if (connection_) connection_->abort();
}
void socket::cancel() {
  if (connection_) connection_->cancel();
}

endpoint socket::local_endpoint(error_code& error) const {
  const auto flow = connection().flow();
  error = flow ? error_code{} : asio::error::not_connected;
  return flow ? from_core(flow->local) : endpoint{};
}
endpoint socket::remote_endpoint(error_code& error) const {
  const auto flow = connection().flow();
  error = flow ? error_code{} : asio::error::not_connected;
  return flow ? from_core(flow->remote) : endpoint{};
}
endpoint socket::local_endpoint() const {
  error_code error;
  const auto result = local_endpoint(error);
  return throw_if(error), result;
}
endpoint socket::remote_endpoint() const {
  error_code error;
  const auto result = remote_endpoint(error);
  return throw_if(error), result;
}
ConnectionInfo socket::status(error_code& error) const {
  return value_or_error(connection().status(), error);
}
ConnectionInfo socket::status() const {
  error_code error;
  const auto result = status(error);
  return throw_if(error), result;
}
error_code socket::complaint() const { return connection().complaint(); }

tcp::Options socket::options() const { return connection().options(); }
void socket::set_options(const tcp::Options& options) {
  throw_if(connection().set_options(options));
}

}  // namespace estab::net
