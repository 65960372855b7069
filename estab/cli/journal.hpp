// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <map>
#include <memory>
#include <string>

namespace estab::cli {

// Says on standard error what may happen a thousand times a second: of each kind of line the first
// at once, and then one a second, the last that came, with how many there were. One thread.
class Journal {
 public:
  explicit Journal(boost::asio::io_context& io) : timer_(io) {}
  ~Journal() { print_waiting(); }
  Journal(Journal&&) = delete;

  // `kind` is a literal; there are as many entries as kinds.
  void say(std::string_view kind, std::string line);

 private:
  struct Waiting {
    std::string last;
    std::uint64_t lines = 0;
  };
  void next_second();
  bool print_waiting();  // Whether there was anything.

  std::map<std::string_view, Waiting> waiting_;  // Kinds that have spoken within the second.
  boost::asio::steady_timer timer_;
  // What the timer's handler asks: it may be queued already when the journal is destroyed.
  std::shared_ptr<Journal> alive_{this, [](Journal*) {}};
};

}  // namespace estab::cli
