// SPDX-License-Identifier: Apache-2.0
// The terminal while a program has all of its screen: no echo, keys one by one, no cursor, and the
// second page of its memory, so that what stood there comes back.
#pragma once
#include <termios.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <functional>
#include <optional>
#include <string>

namespace estab::cli {

class WatchTerminal {
 public:
  // Opens the terminal of standard output anew: another description of it may be non-blocking
  // without a word to those who share the old one. Throws Failure.
  WatchTerminal(boost::asio::io_context& io, std::function<void(std::string_view)> on_typed);
  ~WatchTerminal() { leave(); }
  WatchTerminal(const WatchTerminal&) = delete;

  // Takes the screen, or takes it again; gives it back.
  void enter();
  void leave();
  [[nodiscard]] bool has_keys() const { return has_keys_; }

  // Replaces the page: what did not change is not sent. Where the terminal has not yet taken the
  // last one, this one waits, and a newer one takes its place.
  void show(std::vector<std::string> lines);
  // The screen may hold anything: the next page is sent whole.
  void forget() { shown_.clear(), whole_ = true; }

 private:
  void read();
  void write();
  void write_now(std::string_view text);

  boost::asio::posix::stream_descriptor terminal_;
  std::function<void(std::string_view)> on_typed_;
  std::optional<termios> before_;
  bool has_keys_ = false, entered_ = false, writing_ = false, whole_ = true;
  std::array<char, 256> typed_{};
  std::vector<std::string> shown_;                   // What the terminal was told.
  std::optional<std::vector<std::string>> waiting_;  // The page that is next.
  std::string out_;
};

}  // namespace estab::cli
