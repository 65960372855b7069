// SPDX-License-Identifier: Apache-2.0
#include "estab/cli/ss_watch.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <system_error>
#include <utility>

#include "estab/cli/commands.hpp"
#include "estab/cli/terminal.hpp"

namespace estab::cli {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto between_calls = std::chrono::milliseconds{500};

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const auto end = text.find('\n');
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
  }
  return lines;
}

// The line's first `width` columns; a tab is a stop every eight.
std::string cut(std::string_view line, unsigned width) {
  std::string out;
  for (const char c : line) {
    if (c == '\t') out.append(8 - out.size() % 8, ' ');
    else out += c;
  }
  if (out.size() > width) out.resize(width);
  return out;
}

// The signals that end the watching, or say that the terminal has another size.
class Signals {
 public:
  Signals() {
    sigset_t set;
    ::sigemptyset(&set);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGWINCH}) ::sigaddset(&set, signal);
    ::sigprocmask(SIG_BLOCK, &set, &before_);
    descriptor_ = ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (descriptor_ < 0)
      throw std::system_error(errno, std::generic_category(), "cannot wait for signals");
  }
  ~Signals() {
    ::close(descriptor_);
    ::sigprocmask(SIG_SETMASK, &before_, nullptr);
  }
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  [[nodiscard]] int descriptor() const { return descriptor_; }
  [[nodiscard]] bool ended() {
    hear();
    return ended_;
  }
  // Whether the size has changed since the last call.
  bool take_resized() {
    hear();
    return std::exchange(resized_, false);
  }

 private:
  void hear() {
    signalfd_siginfo info{};
    while (::read(descriptor_, &info, sizeof info) == ssize_t(sizeof info))
      (info.ssi_signo == SIGWINCH ? resized_ : ended_) = true;
  }

  sigset_t before_{};
  int descriptor_ = -1;
  bool ended_ = false, resized_ = false;
};

class Watch {
 public:
  Watch(Duration interval, bool titled, const std::function<SsFrame()>& frame,
        const std::function<void()>& between)
      : interval_(interval), titled_(titled), read_(frame), between_(between) {}

  void run() {
    frame_ = read_();
    for (auto next = Clock::now() + interval_;; next = std::max(next + interval_, Clock::now())) {
      stamp();
      if (!show() || !wait_until(next)) break;
      read_again();
    }
    if (on_screen() && ::write(STDOUT_FILENO, "\r\n", 2) < 0) return;
  }

 private:
  static Terminal terminal() { return terminal_of(STDOUT_FILENO); }
  [[nodiscard]] bool on_screen() const { return titled_ && terminal().screen; }

  void read_again() {
    try {
      frame_ = read_();
    } catch (const Failure& failure) { frame_ = {.table = std::string(failure.what()) + "\n"}; }
  }
  void stamp() { title_ = fmt::format("{:%FT%TZ}", fmt::gmtime(std::time(nullptr))); }

  // False: it was interrupted.
  bool show() {
    if (!on_screen()) return write((titled_ ? title_ + "\n" : "") + frame_.table + frame_.closing);
    const auto place = terminal();
    std::string text = "\033[H";
    const auto title = fmt::format("{}, every {:.4g} s; Ctrl-C ends it", title_,
                                   std::chrono::duration<double>(interval_).count());
    const auto lines = fit_frame(frame_, title, place.width, place.height);
    for (std::size_t i = 0; i < lines.size(); ++i)
      text += (i == 0 ? "" : "\r\n") + lines[i] + "\033[K";
    return write(text + "\033[J");
  }

  // False: it was interrupted.
  bool wait_until(Clock::time_point next) {
    while (!signals_.ended()) {
      if (signals_.take_resized() && on_screen()) {
        if (!write("\033[2J") || !show()) return false;
        continue;  // It may have changed again, and been heard, while that was written.
      }
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - Clock::now());
      if (left.count() <= 0) return true;
      pollfd signal{.fd = signals_.descriptor(), .events = POLLIN, .revents = 0};
      ::poll(&signal, 1, int(std::min(left, between_ ? between_calls : left).count()));
      if (between_) between_();
    }
    return false;
  }

  // False: a signal came before all was written. A reader that stands still must not keep us from
  // hearing it, so no more is written at once than a pipe that is ready surely takes.
  bool write(std::string_view text) {
    while (!text.empty()) {
      pollfd ready[] = {{.fd = STDOUT_FILENO, .events = POLLOUT, .revents = 0},
                        {.fd = signals_.descriptor(), .events = POLLIN, .revents = 0}};
      ::poll(ready, 2, -1);
      if (signals_.ended()) return false;
      if (ready[0].revents == 0) continue;
      const auto size =
          ::write(STDOUT_FILENO, text.data(), std::min<std::size_t>(text.size(), 512));
      if (size < 0 && errno != EINTR && errno != EAGAIN)
        throw Failure("cannot write to standard output: " + std::generic_category().message(errno));
      if (size > 0) text.remove_prefix(std::size_t(size));
    }
    return true;
  }

  Signals signals_;
  Duration interval_;
  bool titled_;
  const std::function<SsFrame()>& read_;
  const std::function<void()>& between_;
  SsFrame frame_;
  std::string title_;  // When the frame was read.
};

}  // namespace

std::vector<std::string> fit_frame(const SsFrame& frame, std::string_view title, unsigned width,
                                   unsigned height) {
  const auto table = lines_of(frame.table), closing = lines_of(frame.closing);
  std::vector<std::string> lines{cut(title, width)};
  const auto below = std::min<std::size_t>(closing.size(), height / 2);
  const auto room = height > below + 1 ? height - below - 1 : 0;
  const auto shown = table.size() <= room ? table.size() : room == 0 ? 0 : room - 1;
  for (std::size_t i = 0; i < shown; ++i) lines.push_back(cut(table[i], width));
  if (shown < table.size() && room > 0)
    lines.push_back(cut(fmt::format("... and {} lines more", table.size() - shown), width));
  // The last lines speak of all.
  for (std::size_t i = closing.size() - below; i < closing.size(); ++i)
    lines.push_back(cut(closing[i], width));
  return lines;
}

void watch_frames(Duration interval, bool titled, const std::function<SsFrame()>& frame,
                  const std::function<void()>& between) {
  std::fflush(stdout);
  Watch(interval, titled, frame, between).run();
}

}  // namespace estab::cli
