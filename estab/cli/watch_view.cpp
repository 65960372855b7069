// SPDX-License-Identifier: Apache-2.0
#include "estab/cli/watch_view.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>

#include "estab/cli/commands.hpp"
#include "estab/cli/terminal.hpp"
#include "estab/cli/watch_keys.hpp"
#include "estab/cli/watch_terminal.hpp"

namespace estab::cli {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr auto between_pages = 500ms;
// A sequence of a key may be cut in two by the network; its parts come close after each other.
constexpr auto escape_waits = 500ms;
constexpr double fastest = 64, slowest = 1.0 / 16;

class WatchView {
 public:
  WatchView(asio::io_context& io, WatchSource& source, double speed)
      : io_(io),
        source_(source),
        start_(source.now()),
        speed_(speed),
        ticks_(io),
        escape_(io),
        signals_(io, SIGINT, SIGTERM, SIGHUP),
        terminal_(io, [this](std::string_view typed) { hear(typed); }) {
    for (const int signal : {SIGQUIT, SIGWINCH, SIGTSTP, SIGCONT}) signals_.add(signal);
    wait_for_signal();
    tick();
  }

 private:
  void tick() {
    show(true);
    ticks_.expires_after(between_pages);
    ticks_.async_wait([this](error_code cancelled) {
      if (!cancelled) tick();
    });
  }

  // `anew`: with what the source says now; else the same on another page.
  void show(bool anew) {
    if (anew && !paused_) {
      scene_.pictures = source_.pictures();
      scene_.elapsed = source_.now() - start_;
      if (!chosen_ && !scene_.pictures.empty()) scene_.selected = scene_.pictures[0].listener;
    }
    scene_.source = source_.name();
    scene_.notes = source_.notes();
    scene_.keys = terminal_.has_keys();
    scene_.plays = source_.plays();
    scene_.state = state();
    const auto place = terminal_of(STDOUT_FILENO);
    terminal_.show(watch_screen(scene_, {.width = place.width,
                                         .height = place.height,
                                         .utf8 = place.utf8,
                                         .colour = place.colour}));
  }

  [[nodiscard]] std::string state() const {
    if (paused_) return "paused";
    if (source_.finished()) return "ended";
    if (!source_.plays() || speed_ == 1) return "";
    return speed_ > 1 ? fmt::format("{:.4g}x", speed_) : fmt::format("1/{:.4g}x", 1 / speed_);
  }

  void hear(std::string_view typed) {
    for (const char octet : typed)
      if (const auto key = keys_.take(octet)) press(*key);
    escape_.cancel();
    if (!keys_.waits()) return;
    escape_.expires_after(escape_waits);
    escape_.async_wait([this](error_code cancelled) {
      if (cancelled) return;
      if (const auto key = keys_.time_out()) press(*key);
    });
  }

  void press(WatchKey key) {
    switch (key) {
      case WatchKey::up:   choose(-1); break;
      case WatchKey::down: choose(+1); break;
      case WatchKey::pause:
        paused_ = !paused_;
        source_.play(paused_ ? 0 : speed_);
        break;
      case WatchKey::faster: set_speed(speed_ * 2); break;
      case WatchKey::slower: set_speed(speed_ / 2); break;
      case WatchKey::help:   scene_.help = !scene_.help; break;
      case WatchKey::quit:   return io_.stop();
    }
    show(false);
  }

  void choose(int by) {
    const auto count = scene_.pictures.size();
    if (count == 0) return;
    const auto place = (selected_place(scene_) + count + std::size_t(by)) % count;
    scene_.selected = scene_.pictures[place].listener;
    chosen_ = true;
  }

  void set_speed(double speed) {
    if (!source_.plays()) return;
    speed_ = std::clamp(speed, std::min(slowest, speed_), std::max(fastest, speed_));
    if (!paused_) source_.play(speed_);
  }

  void wait_for_signal() {
    signals_.async_wait([this](error_code cancelled, int signal) {
      if (cancelled) return;
      switch (signal) {
        case SIGWINCH: terminal_.forget(); break;
        case SIGTSTP:
          terminal_.leave();
          ::raise(SIGSTOP);  // Here we stand until SIGCONT.
          terminal_.enter();
          break;
        case SIGCONT: terminal_.enter(); break;
        default:      return io_.stop();
      }
      show(false);
      wait_for_signal();
    });
  }

  asio::io_context& io_;
  WatchSource& source_;
  Instant start_;
  double speed_;
  asio::steady_timer ticks_, escape_;
  asio::signal_set signals_;
  WatchKeys keys_;
  WatchScene scene_;
  bool paused_ = false, chosen_ = false;
  WatchTerminal terminal_;  // The last one: it is given back first.
};

}  // namespace

void show_watch(asio::io_context& io, WatchSource& source, double speed) {
  WatchView view{io, source, speed};
  io.run();
  io.stop();
}

std::string watch_page(WatchSource& source, const WatchStyle& style) {
  WatchScene scene{.pictures = source.pictures(),
                   .source = source.name(),
                   .notes = source.notes(),
                   .selected = {},
                   .elapsed = {},
                   .state = source.finished() ? "ended" : ""};
  if (!scene.pictures.empty()) scene.selected = scene.pictures[0].listener;
  std::string page;
  for (const auto& line : watch_screen(scene, style)) page += line + '\n';
  return page;
}

}  // namespace estab::cli
