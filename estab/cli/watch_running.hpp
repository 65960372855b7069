// SPDX-License-Identifier: Apache-2.0
// estab watch of the running estab programs, by their control sockets.
#pragma once
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <filesystem>

#include "estab/cli/watch_source.hpp"

namespace estab::cli {

class RunningSource final : public WatchSource {
 public:
  // Asks those whose sockets lie in `folder` at once and then twice a second; `pid` 0: all of them.
  // Throws Failure where none runs.
  RunningSource(boost::asio::io_context& io, std::filesystem::path folder, int pid);

  [[nodiscard]] std::string name() const override { return name_; }
  [[nodiscard]] std::vector<observe::ListenerPicture> pictures() override { return pictures_; }
  [[nodiscard]] Instant now() const override;
  [[nodiscard]] std::vector<std::string> notes() const override { return notes_; }
  // One may be started again.
  [[nodiscard]] bool finished() const override { return false; }

 private:
  // How many programs answered.
  std::size_t ask();
  void ask_again();

  std::filesystem::path folder_;
  int pid_;
  boost::asio::steady_timer timer_;
  std::string name_;
  std::vector<observe::ListenerPicture> pictures_;
  std::vector<std::string> notes_;
};

}  // namespace estab::cli
