// SPDX-License-Identifier: Apache-2.0
// estab watch of a capture: played as fast as it happened, or faster, or at once.
#pragma once
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>
#include <string>

#include "estab/cli/watch_source.hpp"
#include "estab/observe/passive_watch.hpp"
#include "estab/wire/pcapng.hpp"

namespace estab::cli {

// A file of any size, as bytes.
class MappedFile {
 public:
  // Throws Failure.
  explicit MappedFile(const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  [[nodiscard]] Bytes bytes() const { return {static_cast<const std::byte*>(data_), size_}; }

 private:
  void* data_ = nullptr;
  std::size_t size_ = 0;
};

class CaptureSource final : public WatchSource {
 public:
  // `speed`: see play(). Throws Failure where there is no such file, or it is no capture.
  CaptureSource(boost::asio::io_context& io, std::string path, double speed, const HashKey& key,
                observe::PassiveWatch::OnReport on_report,
                const observe::PassiveWatchConfig& config);

  // All that is left, at once.
  void read_all();

  [[nodiscard]] std::string name() const override;
  [[nodiscard]] std::vector<observe::ListenerPicture> pictures() override {
    return watch_.pictures();
  }
  [[nodiscard]] Instant now() const override { return watch_.now(); }
  [[nodiscard]] std::vector<std::string> notes() const override;
  [[nodiscard]] bool finished() const override { return finished_; }
  void play(double speed) override;
  [[nodiscard]] bool plays() const override { return true; }
  [[nodiscard]] const observe::PassiveCounts& counts() const { return watch_.counts(); }

 private:
  bool take_next();
  void feed();
  void tick();
  void play_until(Instant moment);
  [[nodiscard]] std::string ending() const;

  std::string path_;
  MappedFile file_;
  wire::pcapng::Reader reader_;
  std::optional<wire::pcapng::CapturedPacket> next_;
  observe::PassiveWatch watch_;
  boost::asio::steady_timer timer_;
  double speed_;
  std::chrono::steady_clock::time_point since_;  // When it was played from ...
  Instant from_{};                               // ... this time of the capture.
  std::uint64_t unknown_links_ = 0;
  std::uint16_t unknown_link_ = 0;  // The last of them.
  bool finished_ = false;
};

}  // namespace estab::cli
