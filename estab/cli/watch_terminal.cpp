// SPDX-License-Identifier: Apache-2.0
#include "estab/cli/watch_terminal.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <cstdlib>
#include <system_error>

#include "estab/cli/commands.hpp"

namespace estab::cli {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr std::string_view take_screen = "\033[?1049h\033[?25l\033[?7l\033[H\033[2J";
// What is under way may be half a sequence: CAN ends it.
constexpr std::string_view give_screen = "\030\033[0m\033[?7h\033[?25h\033[?1049l";

[[noreturn]] void fail(std::string_view what) {
  throw Failure(fmt::format("{}: {}", what, std::generic_category().message(errno)));
}

int open_terminal() {
  if (::isatty(STDOUT_FILENO) != 1) throw Failure("standard output is no terminal");
  const char* name = ::ttyname(STDOUT_FILENO);
  int terminal = name ? ::open(name, O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC) : -1;
  if (terminal < 0) terminal = ::open("/dev/tty", O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (terminal < 0) fail("cannot open the terminal of standard output");
  return terminal;
}

bool same_terminal(int a, int b) {
  if (::isatty(a) != 1 || ::isatty(b) != 1) return false;
  const char* name = ::ttyname(a);
  const std::string first = name ? name : "";
  name = ::ttyname(b);
  return name && first == name;
}

}  // namespace

WatchTerminal::WatchTerminal(asio::io_context& io, std::function<void(std::string_view)> on_typed)
    : terminal_(io, open_terminal()),
      on_typed_(std::move(on_typed)),
      has_keys_(same_terminal(STDIN_FILENO, STDOUT_FILENO)) {
  enter();
  if (has_keys_) read();
}

void WatchTerminal::enter() {
  forget();
  const int fd = terminal_.native_handle();
  termios now{};
  if (has_keys_ && ::tcgetattr(fd, &now) == 0) {
    if (!std::exchange(entered_, true)) before_ = now;
    // Signals stay: Ctrl-C and Ctrl-Z work whatever becomes of us.
    now.c_lflag &= tcflag_t(~(ICANON | ECHO | IEXTEN));
    now.c_iflag &= tcflag_t(~(ICRNL | INLCR));
    now.c_cc[VMIN] = 1, now.c_cc[VTIME] = 0;
    ::tcsetattr(fd, TCSANOW, &now);
  }
  entered_ = true;
  write_now(take_screen);
}

void WatchTerminal::leave() {
  if (!std::exchange(entered_, false)) return;
  write_now(give_screen);
  if (before_) ::tcsetattr(terminal_.native_handle(), TCSANOW, &*before_);
  before_.reset();
}

void WatchTerminal::read() {
  terminal_.async_read_some(asio::buffer(typed_), [this](error_code error, std::size_t size) {
    if (error) return;  // It hung up: SIGHUP says so, too.
    on_typed_({typed_.data(), size});
    read();
  });
}

void WatchTerminal::show(std::vector<std::string> lines) {
  waiting_ = std::move(lines);
  if (!writing_) write();
}

void WatchTerminal::write() {
  if (!waiting_) return;
  const auto lines = *std::exchange(waiting_, std::nullopt);
  out_ = std::exchange(whole_, false) ? "\033[H\033[2J" : "";
  for (std::size_t y = 0; y < std::max(lines.size(), shown_.size()); ++y) {
    const auto now = y < lines.size() ? std::string_view(lines[y]) : std::string_view();
    if (y < shown_.size() ? now == shown_[y] : now.empty()) continue;
    // Erased first: behind a full line the cursor still stands on its last column.
    out_ += fmt::format("\033[{};1H\033[K{}", y + 1, now);
  }
  shown_ = lines;
  if (out_.empty()) return;
  writing_ = true;
  asio::async_write(terminal_, asio::buffer(out_), [this](error_code error, std::size_t) {
    writing_ = false;
    if (!error) return write();
    if (error == asio::error::operation_aborted) return;
    throw Failure("cannot write to the terminal: " + error.message());
  });
}

// Waits a moment for a terminal that is slow, and not for one that stands still.
void WatchTerminal::write_now(std::string_view text) {
  const int fd = terminal_.native_handle();
  while (!text.empty()) {
    const auto size = ::write(fd, text.data(), text.size());
    if (size > 0) text.remove_prefix(std::size_t(size));
    if (size > 0 || (size < 0 && errno == EINTR)) continue;
    pollfd ready{.fd = fd, .events = POLLOUT, .revents = 0};
    if (errno != EAGAIN || ::poll(&ready, 1, 500) <= 0) return;
  }
}

}  // namespace estab::cli
