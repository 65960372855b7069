// SPDX-License-Identifier: Apache-2.0
#include "estab/admin/server.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <system_error>

#include "estab/admin/client.hpp"
#include "estab/admin/place.hpp"

namespace estab::admin {
namespace asio = boost::asio;
using boost::system::error_code;
namespace {

constexpr int most_clients = 16;
constexpr auto patience = std::chrono::seconds(5);

}  // namespace

// Writes the document within the time there is; lives as long as that takes.
class Server::Client : public std::enable_shared_from_this<Client> {
 public:
  Client(asio::local::stream_protocol::socket socket, std::string document,
         std::shared_ptr<int> served)
      : socket_(std::move(socket)),
        timer_(socket_.get_executor(), patience),
        document_(std::move(document)),
        served_(std::move(served)) {
    ++*served_;
  }
  ~Client() { --*served_; }
  Client(Client&&) = delete;

  void start() {
    timer_.async_wait([weak = weak_from_this()](error_code error) {
      const auto self = weak.lock();
      if (self && !error) self->socket_.close(error);
    });
    asio::async_write(socket_, asio::buffer(document_),
                      [self = shared_from_this()](error_code, std::size_t) {});
  }

 private:
  asio::local::stream_protocol::socket socket_;
  asio::steady_timer timer_;
  std::string document_;
  std::shared_ptr<int> served_;
};

Server::Server(const asio::any_io_executor& executor, std::filesystem::path folder,
               Document document)
    : path_(folder / (std::to_string(::getpid()) + ".sock")),
      document_(std::make_shared<const Document>(std::move(document))),
      acceptor_(executor),
      pause_(executor) {
  ensure_folder(folder);
  (void)running(folder);  // Clears away what the dead have left.
  // Made under another name, and given its own when it listens, so that nobody who finds the file
  // is refused and takes it for a dead program's.
  const auto fresh = path_.string() + ".new";
  ::unlink(fresh.c_str());
  acceptor_.open();
  acceptor_.bind(fresh);
  ::chmod(fresh.c_str(), 0600);
  acceptor_.listen();
  std::filesystem::rename(fresh, path_);
  accept();
}

Server::~Server() { ::unlink(path_.c_str()); }

void Server::accept() {
  acceptor_.async_accept([this, alive = std::weak_ptr(document_)](
                             error_code error, asio::local::stream_protocol::socket socket) {
    if (alive.expired() || error == asio::error::operation_aborted) return;
    if (error) return accept_later();
    if (*served_ < most_clients)
      std::make_shared<Client>(std::move(socket), (*document_)(), served_)->start();
    accept();
  });
}

void Server::accept_later() {
  pause_.expires_after(std::chrono::milliseconds(100));
  pause_.async_wait([this](error_code error) {
    if (!error) accept();
  });
}

}  // namespace estab::admin
