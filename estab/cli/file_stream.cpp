// SPDX-License-Identifier: Apache-2.0
#include "estab/cli/file_stream.hpp"

#include <limits.h>
#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <cerrno>

namespace estab::cli {
namespace asio = boost::asio;
namespace {

[[noreturn]] void fail(int error) {
  throw boost::system::system_error(error, boost::system::system_category());
}

// An epoll descriptor on which `descriptor` is registered for nothing yet, or -1: it is a file.
int make_gate(int descriptor) {
  const int gate = ::epoll_create1(EPOLL_CLOEXEC);
  if (gate < 0) fail(errno);
  epoll_event nothing{};
  if (::epoll_ctl(gate, EPOLL_CTL_ADD, descriptor, &nothing) == 0) return gate;
  const int error = errno;
  ::close(gate);
  if (error != EPERM) fail(error);
  return -1;
}

bool is_ready(int descriptor, short events) {
  pollfd one{.fd = descriptor, .events = events, .revents = 0};
  return ::poll(&one, 1, 0) != 0;
}

}  // namespace

FileStream::FileStream(const asio::any_io_executor& executor, int descriptor)
    : descriptor_(descriptor) {
  if (const int gate = make_gate(descriptor); gate >= 0) gate_.emplace(executor, gate);
}

asio::awaitable<void> FileStream::wait(short events) {
  while (gate_ && !is_ready(descriptor_, events)) {
    epoll_event wanted{};
    wanted.events = events == POLLIN ? EPOLLIN : EPOLLOUT;
    if (::epoll_ctl(gate_->native_handle(), EPOLL_CTL_MOD, descriptor_, &wanted) != 0) fail(errno);
    co_await gate_->async_wait(asio::posix::descriptor_base::wait_read, asio::use_awaitable);
  }
}

asio::awaitable<std::size_t> FileStream::read_some(asio::mutable_buffer into) {
  for (;;) {
    co_await wait(POLLIN);
    const auto size = ::read(descriptor_, into.data(), into.size());
    if (size >= 0) co_return std::size_t(size);
    if (errno != EINTR && errno != EAGAIN) fail(errno);
  }
}

asio::awaitable<void> FileStream::write(asio::const_buffer from) {
  while (from.size() > 0) {
    co_await wait(POLLOUT);
    const auto size = gate_ ? std::min<std::size_t>(from.size(), PIPE_BUF) : from.size();
    const auto written = ::write(descriptor_, from.data(), size);
    if (written >= 0) from += std::size_t(written);
    else if (errno != EINTR && errno != EAGAIN) fail(errno);
  }
}

}  // namespace estab::cli
