// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <filesystem>
#include <functional>

namespace estab::admin {

// The control socket: each client that connects gets one document and the end. A client that does
// not take it within seconds is dropped, and few are served at a time: none can hold the program
// up. Only the user who runs the program (and root) may connect. The executor's thread alone.
class Server {
 public:
  using Document = std::function<std::string()>;

  // Listens at folder/PID.sock, making the folder if need be and clearing away the sockets of
  // programs that have died. Throws std::system_error.
  Server(const boost::asio::any_io_executor& executor, std::filesystem::path folder,
         Document document);
  // Stops, and removes the socket's file.
  ~Server();
  Server(Server&&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  class Client;
  void accept();
  void accept_later();

  std::filesystem::path path_;
  std::shared_ptr<const Document> document_;
  boost::asio::local::stream_protocol::acceptor acceptor_;
  boost::asio::steady_timer pause_;  // Before trying again where descriptors are short.
  std::shared_ptr<int> served_ = std::make_shared<int>(0);  // Clients that are being served.
};

}  // namespace estab::admin
