// SPDX-License-Identifier: Apache-2.0
// estab watch of the packets that pass an interface, live, and a capture of what it saw.
#pragma once
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdio>
#include <memory>
#include <string>

#include "estab/cli/watch_source.hpp"
#include "estab/link/packet_socket.hpp"
#include "estab/observe/passive_watch.hpp"

namespace estab::cli {

// The headers of packets, as a pcapng file, from which a replay says the same.
class PassingCapture {
 public:
  // Throws Failure.
  PassingCapture(std::string path, const std::string& interface);
  ~PassingCapture() { flush(); }
  PassingCapture(const PassingCapture&) = delete;

  void packet(const link::PassingPacket& packet);
  // When it can no longer be written, that is said once on standard error, and it ends.
  void flush();

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::string path_;
  std::unique_ptr<std::FILE, Close> file_;
  std::vector<std::byte> blocks_;
};

class InterfaceSource final : public WatchSource {
 public:
  // `capture`: a file to be written; empty: none. Throws Failure where there is no such interface
  // or no permission.
  InterfaceSource(boost::asio::io_context& io, std::string interface, const std::string& capture,
                  const HashKey& key, observe::PassiveWatch::OnReport on_report,
                  const observe::PassiveWatchConfig& config);
  ~InterfaceSource() override;

  [[nodiscard]] std::string name() const override;
  [[nodiscard]] std::vector<observe::ListenerPicture> pictures() override {
    return watch_.pictures();
  }
  [[nodiscard]] Instant now() const override { return watch_.now(); }
  [[nodiscard]] std::vector<std::string> notes() const override;
  [[nodiscard]] bool finished() const override { return false; }
  [[nodiscard]] const observe::PassiveCounts& counts() const { return watch_.counts(); }
  [[nodiscard]] std::uint64_t lost() const { return lost_; }

 private:
  void open();
  void wait();
  void take();
  void tick();
  void look_after();

  boost::asio::io_context& io_;
  std::string interface_;
  observe::PassiveWatch watch_;
  std::unique_ptr<PassingCapture> capture_;
  std::unique_ptr<link::PacketSocket> socket_;
  // Of the socket, which closes it.
  std::unique_ptr<boost::asio::posix::stream_descriptor> readable_;
  boost::asio::steady_timer timer_;
  link::InterfaceState state_ = link::InterfaceState::up;
  std::uint64_t lost_ = 0, lost_before_ = 0;  // The latter: of sockets that are gone.
  bool drained_ = true;
};

}  // namespace estab::cli
