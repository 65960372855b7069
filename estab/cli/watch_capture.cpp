// SPDX-License-Identifier: Apache-2.0
#include "estab/cli/watch_capture.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "estab/cli/commands.hpp"
#include "estab/wire/link_type.hpp"

namespace estab::cli {
namespace {

constexpr auto between_ticks = std::chrono::milliseconds{50};

Instant instant_of(wire::pcapng::WallTime time) { return Instant{time.time_since_epoch()}; }

[[noreturn]] void fail_to_read(const std::string& path, int error) {
  throw Failure(fmt::format("cannot read {}: {}", path, std::generic_category().message(error)));
}

}  // namespace

MappedFile::MappedFile(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) fail_to_read(path, errno);
  struct stat about{};
  const bool known = ::fstat(fd, &about) == 0;
  if (!known || !S_ISREG(about.st_mode)) {
    ::close(fd);
    throw Failure("cannot read " + path + ": it is no file that could be read from end to end; " +
                  "save it first");
  }
  size_ = std::size_t(about.st_size);
  if (size_ > 0) data_ = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, fd, 0);
  const int error = errno;
  ::close(fd);
  if (data_ == MAP_FAILED) fail_to_read(path, error);
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(data_, size_);
}

CaptureSource::CaptureSource(boost::asio::io_context& io, std::string path, double speed,
                             const HashKey& key, observe::PassiveWatch::OnReport on_report,
                             const observe::PassiveWatchConfig& config)
    : path_(std::move(path)),
      file_(path_),
      reader_(file_.bytes()),
      watch_(key, std::move(on_report), config),
      timer_(io),
      speed_(speed) {
  if (file_.bytes().empty() || reader_.ending() == wire::pcapng::Ending::not_a_capture)
    throw Failure(path_ +
                  " is no capture: it is neither pcapng nor pcap\nWrite one, as: tcpdump "
                  "-w FILE -s 128 tcp; or: estab watch --interface IF --capture FILE");
  if (!take_next()) return;
  from_ = instant_of(next_->time);
  since_ = std::chrono::steady_clock::now();
  watch_.advance(from_);
  tick();
}

std::string CaptureSource::name() const { return path_; }

bool CaptureSource::take_next() {
  next_ = reader_.next();
  if (!next_) finished_ = true;
  return !finished_;
}

void CaptureSource::feed() {
  using observe::PassedOver;
  const auto number = reader_.interfaces()[next_->interface].link_type;
  if (!wire::is_known_link_type(number)) {
    ++unknown_links_, unknown_link_ = number;
    return watch_.pass_over(PassedOver::not_ip);
  }
  const auto link = wire::strip_link(wire::LinkType(number), next_->data);
  if (link.cut_short || link.length > next_->data.size())
    return watch_.pass_over(PassedOver::cut_short);
  if (!link.is_ip) return watch_.pass_over(PassedOver::not_ip);
  const auto size = std::max<std::size_t>(next_->original_length, next_->data.size());
  watch_.packet(instant_of(next_->time), next_->data.subspan(link.length), size - link.length);
}

void CaptureSource::read_all() {
  timer_.cancel();
  while (next_) feed(), take_next();
}

void CaptureSource::play_until(Instant moment) {
  while (next_ && instant_of(next_->time) <= moment) feed(), take_next();
  if (!finished_) watch_.advance(moment);
}

void CaptureSource::tick() {
  if (speed_ == 0 || finished_) return;
  const std::chrono::duration<double, std::nano> gone = std::chrono::steady_clock::now() - since_;
  play_until(from_ + std::chrono::round<Duration>(gone * speed_));
  timer_.expires_after(between_ticks);
  timer_.async_wait([this](boost::system::error_code cancelled) {
    if (!cancelled) tick();
  });
}

void CaptureSource::play(double speed) {
  timer_.cancel();
  from_ = watch_.now();
  since_ = std::chrono::steady_clock::now();
  speed_ = speed;
  tick();
}

std::string CaptureSource::ending() const {
  switch (reader_.ending()) {
    case wire::pcapng::Ending::complete:      return {};
    case wire::pcapng::Ending::not_a_capture: return {};
    case wire::pcapng::Ending::cut_short:
      return fmt::format("The capture is cut short: it was read up to octet {} of {}.",
                         reader_.whole_bytes(), file_.bytes().size());
    case wire::pcapng::Ending::malformed:
      return fmt::format("The capture contradicts itself at octet {} of {}: it was read so far.",
                         reader_.whole_bytes(), file_.bytes().size());
  }
  std::unreachable();
}

std::vector<std::string> CaptureSource::notes() const {
  auto notes = watch_.notes();
  if (unknown_links_ > 0)
    notes.push_back(
        fmt::format("{} packets are of link type {}, which is not known here; known "
                    "are {}.",
                    unknown_links_, unknown_link_, wire::known_link_types()));
  if (!finished_) return notes;
  if (const auto why = ending(); !why.empty()) notes.push_back(why);
  notes.push_back(
      fmt::format("What began in its last {} s is not judged: it might have completed later.",
                  observe::judged_after));
  return notes;
}

}  // namespace estab::cli
