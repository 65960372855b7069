// SPDX-License-Identifier: Apache-2.0
#include "estab/admin/metrics_server.hpp"

#include <array>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>

namespace estab::admin {
namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;
namespace {

constexpr std::size_t most_clients = 16;
constexpr std::size_t largest_header = 8 << 10;  // Octets.

tcp::endpoint to_asio(const Endpoint& end) {
  if (end.address.is_v4()) return {asio::ip::address_v4(end.address.to_v4()), number(end.port)};
  return {asio::ip::address_v6(end.address.octets()), number(end.port)};
}

tcp::acceptor listen_at(const asio::any_io_executor& executor, const Endpoint& end) {
  try {
    return {executor, to_asio(end)};
  } catch (const boost::system::system_error& error) {  // Which is no std::system_error.
    throw std::system_error(error.code());
  }
}

bool is_no_request(const error_code& error) {
  return error.category() == make_error_code(http::error::bad_method).category() &&
         error != http::error::end_of_stream && error != http::error::partial_message;
}

}  // namespace

// One request, one answer, and the end; lives as long as that takes.
class MetricsServer::Client : public std::enable_shared_from_this<Client> {
 public:
  Client(tcp::socket socket, std::shared_ptr<const MetricsPage> page, Duration patience)
      : socket_(std::move(socket)),
        timer_(socket_.get_executor(), patience),
        page_(std::move(page)) {}

  void start() {
    timer_.async_wait([weak = weak_from_this()](error_code error) {
      const auto self = weak.lock();
      if (self && !error) self->close();
    });
    parser_.header_limit(largest_header);
    parser_.body_limit(boost::none);  // It is not read.
    http::async_read_header(
        socket_, buffer_, parser_,
        [self = shared_from_this()](error_code error, std::size_t) { self->answer(error); });
  }
  void close() {
    error_code ignored;
    socket_.close(ignored);
  }

 private:
  void answer(error_code error) {
    if (!socket_.is_open()) return;  // Closed when this was on its way already.
    if (error == http::error::header_limit || error == http::error::buffer_overflow)
      response_ = respond_bad_request(true);
    else if (is_no_request(error)) response_ = respond_bad_request(false);
    else if (error) return;
    else response_ = respond(parser_.get(), *page_);
    http::async_write(socket_, response_,
                      [self = shared_from_this()](error_code failed, std::size_t) {
                        if (failed) return;
                        self->socket_.shutdown(tcp::socket::shutdown_send, failed);
                        self->drain();
                      });
  }
  // What is still unread would become a reset, which may overtake the answer.
  void drain() {
    socket_.async_read_some(asio::buffer(rest_),
                            [self = shared_from_this()](error_code error, std::size_t) {
                              if (!error) self->drain();
                            });
  }

  tcp::socket socket_;
  asio::steady_timer timer_;
  std::shared_ptr<const MetricsPage> page_;
  boost::beast::flat_buffer buffer_{largest_header + 4096};
  http::request_parser<http::empty_body> parser_;
  MetricsResponse response_;
  std::array<char, 1024> rest_;
};

MetricsServer::MetricsServer(const asio::any_io_executor& executor, const Endpoint& at,
                             MetricsPage page, Duration patience)
    : page_(std::make_shared<const MetricsPage>(std::move(page))),
      patience_(patience),
      acceptor_(listen_at(executor, at)),
      pause_(executor) {
  accept();
}

MetricsServer::~MetricsServer() {
  for (const auto& weak : clients_)
    if (const auto client = weak.lock()) client->close();
}

void MetricsServer::accept() {
  acceptor_.async_accept(
      [this, alive = std::weak_ptr(alive_)](error_code error, tcp::socket socket) {
        if (alive.expired() || error == asio::error::operation_aborted) return;
        if (error) return accept_later();
        serve(std::move(socket));
        accept();
      });
}

void MetricsServer::accept_later() {
  pause_.expires_after(std::chrono::milliseconds(100));
  pause_.async_wait([this, alive = std::weak_ptr(alive_)](error_code error) {
    if (!error && !alive.expired()) accept();
  });
}

void MetricsServer::serve(tcp::socket socket) {
  std::erase_if(clients_, [](const auto& client) { return client.expired(); });
  if (clients_.size() >= most_clients) {
    if (const auto oldest = clients_.front().lock()) oldest->close();
    clients_.pop_front();
  }
  const auto client = std::make_shared<Client>(std::move(socket), page_, patience_);
  clients_.push_back(client);
  client->start();
}

}  // namespace estab::admin
