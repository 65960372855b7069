// SPDX-License-Identifier: Apache-2.0
#include "estab/admin/client.hpp"

#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <cerrno>
#include <charconv>
#include <optional>

namespace estab::admin {
namespace asio = boost::asio;
namespace {

using Socket = asio::local::stream_protocol::socket;

// The pid in "1234.sock"; none: the file is not ours.
std::optional<int> pid_of(const std::filesystem::path& file) {
  const auto name = file.filename().string();
  int pid = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
  if (error != std::errc{} || std::string_view(end) != ".sock" || pid <= 0) return {};
  return pid;
}

boost::system::error_code connect(Socket& socket, const std::filesystem::path& file) {
  boost::system::error_code error;
  socket.open({}, error);
  if (!error) socket.connect(file.string(), error);
  return error;
}

// Whether nobody listens on it any more: its program has died without a chance to remove it.
bool is_stale(const std::filesystem::path& file) {
  asio::io_context io;
  Socket socket(io);
  socket.open();
  socket.non_blocking(true);  // A full queue of clients is a sign of life.
  boost::system::error_code error;
  socket.connect(file.string(), error);
  return error == asio::error::connection_refused;
}

}  // namespace

std::vector<Process> running(const std::filesystem::path& folder, std::vector<Process>* dead) {
  std::vector<Process> found;
  std::error_code error;
  for (std::filesystem::directory_iterator it(folder, error), end; !error && it != end;
       it.increment(error)) {
    const auto pid = pid_of(it->path());
    if (!pid) continue;
    if (!is_stale(it->path())) {
      found.push_back({*pid, it->path()});
    } else {
      ::unlink(it->path().c_str());
      if (dead != nullptr) dead->push_back({*pid, it->path()});
    }
  }
  std::ranges::sort(found, {}, &Process::pid);
  return found;
}

std::expected<std::string, std::error_code> fetch(const Process& process) {
  asio::io_context io;
  Socket socket(io);
  if (const auto error = connect(socket, process.socket)) return std::unexpected(error);
  const timeval patience{.tv_sec = 5, .tv_usec = 0};
  ::setsockopt(socket.native_handle(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  std::string document;
  for (std::array<char, 65536> buffer;;) {
    const auto size = ::recv(socket.native_handle(), buffer.data(), buffer.size(), 0);
    if (size == 0) return document;
    if (size > 0) document.append(buffer.data(), std::size_t(size));
    else if (errno == EAGAIN) return std::unexpected(std::make_error_code(std::errc::timed_out));
    else if (errno != EINTR)
      return std::unexpected(std::error_code(errno, std::generic_category()));
  }
}

}  // namespace estab::admin
