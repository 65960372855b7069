// SPDX-License-Identifier: Apache-2.0
#include "estab/net/acceptor.hpp"

#include "estab/net/error.hpp"
#include "estab/net/listener.hpp"

namespace estab::net {
namespace asio = boost::asio;

acceptor::acceptor(host& host) : core_(host.core_) {}
acceptor::acceptor(host& host, const endpoint_type& local, const ListenOptions& options)
    : acceptor(host) {
  error_code error;
  listen(local, options, error);
  if (error) throw boost::system::system_error{error, "listen"};
}

acceptor::acceptor(acceptor&& other) noexcept
    : core_(other.core_), listener_(std::move(other.listener_)) {}

acceptor& acceptor::operator=(acceptor&& other) noexcept {
  if (this == &other) return *this;
  close();
  core_ = other.core_;
  listener_ = std::move(other.listener_);
  return *this;
}

acceptor::~acceptor() { close(); }

acceptor::executor_type acceptor::get_executor() const noexcept { return core_->executor(); }

detail::Listener& acceptor::listener() const {
  if (!listener_) listener_ = std::make_shared<detail::Listener>(core_);
  return *listener_;
}

bool acceptor::is_open() const { return listener_ && listener_->is_open(); }

void acceptor::listen(const endpoint_type& local, const ListenOptions& options, error_code& error) {
  error = listener().listen(to_core(local), options);
}

void acceptor::start_accept(detail::Handler<socket> handler) {
  listener().accept(std::move(handler));
}
void acceptor::start_accept(socket& peer, detail::Handler<> handler) {
  listener().accept_into(peer, std::move(handler));
}
void acceptor::start_next_deferred(detail::Handler<deferred> handler) {
  listener().next_deferred(std::move(handler));
}
void acceptor::decide(const deferred& peer, Verdict verdict, error_code& error) {
  error = listener().decide(peer.id, verdict);
}

void acceptor::cancel() {
  if (listener_) listener_->cancel();
}
void acceptor::close() {
  if (listener_) listener_->close();
}

acceptor::endpoint_type acceptor::local_endpoint() const { return from_core(status().local); }

ListenerInfo acceptor::status() const {
  const auto info = listener().status();
  if (!info) throw boost::system::system_error{asio::error::bad_descriptor};
  return *info;
}

}  // namespace estab::net
