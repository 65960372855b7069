// SPDX-License-Identifier: Apache-2.0
#include "estab/cli/watch_interface.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <system_error>

#include "estab/cli/commands.hpp"
#include "estab/cli/views.hpp"
#include "estab/wire/pcapng.hpp"

namespace estab::cli {
namespace {

using boost::system::error_code;
using link::InterfaceState, link::PacketSocket;

constexpr auto between_ticks = std::chrono::milliseconds{250};
// A packet is in the socket this long after its time; before, a silence may not be judged.
constexpr Duration latest = 500ms;
constexpr int batches_at_once = 64;
constexpr std::size_t gathered = 1 << 16;

Instant wall_now() { return Instant{std::chrono::system_clock::now().time_since_epoch()}; }

}  // namespace

PassingCapture::PassingCapture(std::string path, const std::string& interface)
    : path_(std::move(path)), file_(std::fopen(path_.c_str(), "wbe")) {
  if (!file_)
    throw Failure(cannot_make_capture(path_, std::error_code(errno, std::generic_category())));
  wire::pcapng::append_section(blocks_, "estab watch");
  wire::pcapng::append_interface(blocks_,
                                 {.snap_length = PacketSocket::kept_octets, .name = interface});
  flush();
}

void PassingCapture::packet(const link::PassingPacket& packet) {
  if (!file_) return;
  wire::pcapng::append_packet(blocks_,
                              {.time = packet.time,
                               .original_length = std::uint32_t(packet.size),
                               .direction = packet.outgoing ? wire::pcapng::Direction::outbound
                                                            : wire::pcapng::Direction::inbound,
                               .comment = {},
                               .data = packet.kept});
  if (blocks_.size() >= gathered) flush();
}

void PassingCapture::flush() {
  if (!file_ || blocks_.empty()) return;
  const bool written =
      std::fwrite(blocks_.data(), 1, blocks_.size(), file_.get()) == blocks_.size() &&
      std::fflush(file_.get()) == 0;
  blocks_.clear();
  if (written) return;
  const std::error_code why(errno, std::generic_category());
  fmt::print(stderr, "estab: {}\n", cannot_write_capture(path_, why));
  file_.reset();
}

InterfaceSource::InterfaceSource(boost::asio::io_context& io, std::string interface,
                                 const std::string& capture, const HashKey& key,
                                 observe::PassiveWatch::OnReport on_report,
                                 const observe::PassiveWatchConfig& config)
    : io_(io),
      interface_(std::move(interface)),
      watch_(key, std::move(on_report), config),
      timer_(io) {
  try {
    open();
  } catch (const std::system_error& error) { throw Failure(error.what()); }
  if (!capture.empty()) capture_ = std::make_unique<PassingCapture>(capture, interface_);
  state_ = link::interface_state(interface_);
  tick();
}

InterfaceSource::~InterfaceSource() {
  if (readable_) readable_->release();
}

std::string InterfaceSource::name() const {
  return interface_ == PacketSocket::any ? "all interfaces" : "interface " + interface_;
}

void InterfaceSource::open() {
  socket_ = std::make_unique<PacketSocket>(interface_);
  readable_ = std::make_unique<boost::asio::posix::stream_descriptor>(io_, socket_->descriptor());
  wait();
}

void InterfaceSource::wait() {
  readable_->async_wait(boost::asio::posix::descriptor_base::wait_read, [this](error_code error) {
    if (error) return;
    take();
    if (readable_) wait();
  });
}

// Some, then others get their turn.
void InterfaceSource::take() {
  drained_ = false;
  for (int i = 0; i < batches_at_once; ++i) {
    const auto received = socket_->receive([this](const link::PassingPacket& packet) {
      if (capture_) capture_->packet(packet);
      watch_.packet(Instant{packet.time.time_since_epoch()}, packet.kept, packet.size);
    });
    if (received == PacketSocket::Received::some) continue;
    drained_ = true;
    return;
  }
}

void InterfaceSource::tick() {
  if (socket_) take();
  if (drained_) watch_.advance(wall_now() - latest);
  if (capture_) capture_->flush();
  look_after();
  timer_.expires_after(between_ticks);
  timer_.async_wait([this](error_code cancelled) {
    if (!cancelled) tick();
  });
}

// One that was removed and made anew is another one to the kernel.
void InterfaceSource::look_after() {
  if (socket_) lost_ = lost_before_ + socket_->lost();
  state_ = link::interface_state(interface_);
  if (state_ == InterfaceState::missing && socket_) {
    lost_before_ = lost_;
    readable_->release();
    readable_.reset();
    socket_.reset();
    drained_ = true;
  }
  if (state_ == InterfaceState::missing || socket_) return;
  try {
    open();
  } catch (const std::system_error&) {
    // It went again in between.
    if (!readable_) socket_.reset();
  }
}

std::vector<std::string> InterfaceSource::notes() const {
  auto notes = watch_.notes();
  if (state_ == InterfaceState::down)
    notes.push_back(interface_ + " is down; it goes on when it comes up.");
  if (state_ == InterfaceState::missing)
    notes.push_back(interface_ + " is gone; it goes on when it is there again.");
  if (lost_ > 0)
    notes.push_back(fmt::format(
        "{} packets were lost between the kernel and here: counts are too low.", lost_));
  return notes;
}

}  // namespace estab::cli
