// SPDX-License-Identifier: Apache-2.0
#include "estab/observe/capture.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

namespace estab::observe {
namespace {

namespace pcapng = wire::pcapng;

constexpr std::size_t hand_on_at = 64 << 10;
constexpr std::size_t lines_a_comment = 64;  // An option holds 65,535 octets; a line has about 200.

std::string because(Reason reason) {
  if (reason == Reason::none) return "";
  return fmt::format(": {} [{}]", text(reason).sentence, text(reason).clause);
}

pcapng::Direction direction_of(EventKind kind) {
  switch (kind) {
    case EventKind::sent:       return pcapng::Direction::outbound;
    case EventKind::received:
    case EventKind::dropped:    return pcapng::Direction::inbound;
    case EventKind::transition:
    case EventKind::first_text: return pcapng::Direction::unknown;
  }
  std::unreachable();
}

// How many of the first `written` octets are whole blocks; each block tells its length.
std::size_t whole_blocks(Bytes blocks, std::size_t written) {
  std::size_t end = 0;
  for (std::size_t length; end + 8 <= written; end += length) {
    length = std::byteswap(load_be<std::uint32_t>(&blocks[end + 4]));
    if (length > written - end) break;
  }
  return end;
}

// A listener's transitions name no peer; they belong to whoever calls first.
bool same_flow(const Flow& transition, const Flow& packet) {
  return transition == packet ||
         (transition.remote == Endpoint{} && transition.local.port == packet.local.port);
}

}  // namespace

std::string comment_of(const Event& event) {
  std::string states;
  if (event.flow != Flow{})
    states = event.before == event.after
                 ? std::string{name(event.after)}
                 : fmt::format("{} -> {}", name(event.before), name(event.after));
  if (event.kind == EventKind::dropped) states += states.empty() ? "dropped" : ", dropped";
  return states + because(event.reason);
}

CaptureWriter::CaptureWriter(const CaptureConfig& config, Sink sink)
    : config_(config), sink_(std::move(sink)) {
  pcapng::append_section(blocks_, "estab");
  if (!config_.interfaces.empty()) ensure_interface(std::uint8_t(config_.interfaces.size() - 1));
}

void CaptureWriter::ensure_interface(std::uint8_t index) {
  while (interfaces_.size() <= index) {
    pcapng::Interface interface;
    if (interfaces_.size() < config_.interfaces.size())
      interface.name = config_.interfaces[interfaces_.size()];
    pcapng::append_interface(blocks_, interface);
    interfaces_.push_back({});
  }
}

pcapng::WallTime CaptureWriter::wall(Instant at) const {
  return std::max(config_.start + at.time_since_epoch(), pcapng::WallTime{});
}

// The lines of the transitions that this packet tells, oldest first; a transition that is the
// packet's own, before to after for the same reason, is left to the packet's line.
std::string CaptureWriter::take_transitions(const Event& packet) {
  std::string lines;
  std::size_t taken = 0;
  std::erase_if(transitions_, [&](const Event& t) {
    const bool mine = same_flow(t.flow, packet.flow);
    const bool over = t.after == State::closed && t.at < packet.at;
    if (taken == lines_a_comment || !(mine || over)) return false;
    ++taken;
    const bool told =
        mine && t.before == packet.before && t.after == packet.after && t.reason == packet.reason;
    if (told) return true;
    if (!mine)
      lines += fmt::format("{} and {}: ", t.flow.local.to_string(), t.flow.remote.to_string());
    lines += comment_of(t) + "\n";
    return true;
  });
  return lines;
}

bool CaptureWriter::event(const Event& event, Bytes packet) {
  if (refused_) return false;
  order_.take(event, packet, [this](const Event& e, Bytes p) { append(e, p); });
  return blocks_.size() < hand_on_at || hand_on();
}

void CaptureWriter::append(const Event& event, Bytes packet) {
  if (event.kind == EventKind::transition) transitions_.push_back(event);
  if (event.length == 0) return;
  ensure_interface(event.interface);
  interfaces_[event.interface].at = event.at;
  ++interfaces_[event.interface].packets;
  // The packet's own line says nothing new where it has no reason and a transition, the last
  // line, ends in its state.
  std::string lines = take_transitions(event);
  if (event.before == event.after || event.reason != Reason::none || lines.empty())
    lines += comment_of(event);
  else lines.pop_back();
  pcapng::append_packet(blocks_, {.interface = event.interface,
                                  .time = wall(event.at),
                                  .original_length = event.length,
                                  .direction = direction_of(event.kind),
                                  .comment = std::move(lines),
                                  .data = packet});
}

bool CaptureWriter::flush() {
  order_.release([this](const Event& e, Bytes p) { append(e, p); });
  return hand_on();
}

bool CaptureWriter::hand_on() {
  if (refused_) return false;
  if (!blocks_.empty() && !sink_(blocks_)) refused_ = true;
  blocks_.clear();
  return !refused_;
}

bool CaptureWriter::finish() {
  order_.release([this](const Event& e, Bytes p) { append(e, p); });
  for (std::size_t i = 0; i < interfaces_.size(); ++i) {
    std::string lines;
    for (const auto& t : std::exchange(transitions_, {}))
      lines += fmt::format("{} and {}: {}\n", t.flow.local.to_string(), t.flow.remote.to_string(),
                           comment_of(t));
    if (!lines.empty()) lines.pop_back();
    pcapng::append_statistics(blocks_, {.interface = std::uint32_t(i),
                                        .time = wall(interfaces_[i].at),
                                        .packets = interfaces_[i].packets,
                                        .comment = std::move(lines)});
  }
  interfaces_.clear();
  return flush();
}

CaptureFile::CaptureFile(const std::filesystem::path& path, const CaptureConfig& config)
    : path_(path),
      file_(std::fopen(path.c_str(), "wb")),
      writer_(config, [this](Bytes blocks) { return write(blocks); }) {
  if (!file_) error_.assign(errno, std::generic_category());
  else std::setvbuf(file_.get(), nullptr, _IONBF, 0);
}

CaptureFile::~CaptureFile() { (void)finish(); }

bool CaptureFile::finish() {
  const bool whole = writer_.finish();
  file_.reset();
  return whole;
}

bool CaptureFile::write(Bytes blocks) {
  if (!file_) return false;
  const auto written = std::fwrite(blocks.data(), 1, blocks.size(), file_.get());
  whole_ += whole_blocks(blocks, written);
  if (written == blocks.size()) return true;
  error_.assign(errno, std::generic_category());
  file_.reset();
  // A device or a pipe cannot be cut; what matters is that a file is.
  std::error_code ignored;
  std::filesystem::resize_file(path_, whole_, ignored);
  return false;
}

}  // namespace estab::observe
