// SPDX-License-Identifier: Apache-2.0
// The event stream as a capture file: one block a packet, whose comment says the state before and
// after, and why. A transition stands in the comment of the packet that tells it: the next one of
// its flow; the end of a connection, which no packet may follow, goes with the next of any flow.
#pragma once
#include <cstdio>
#include <filesystem>
#include <functional>
#include <memory>
#include <system_error>

#include "estab/event/event.hpp"
#include "estab/observe/event_order.hpp"
#include "estab/wire/pcapng.hpp"

namespace estab::observe {

struct CaptureConfig {
  wire::pcapng::WallTime start{};       // What Instant{} was on the caller's clock.
  std::vector<std::string> interfaces;  // Names, in the stack's numbering; more come unnamed.
};

// "SYN-SENT -> ESTABLISHED: The peer answered our SYN. [RFC 9293 §3.10.7.3]"
[[nodiscard]] std::string comment_of(const Event& event);

// Turns events into blocks and hands them on. Not thread-safe.
class CaptureWriter {
 public:
  // Takes whole blocks, all of them or not: false ends the capture.
  using Sink = std::function<bool(Bytes)>;
  CaptureWriter(const CaptureConfig& config, Sink sink);

  // As EventLog::drain gives them. Blocks are gathered up to 64 KiB; flush() hands on the rest.
  // False, now and from then on: the sink has refused, nothing more is taken.
  [[nodiscard]] bool event(const Event& event, Bytes packet);
  [[nodiscard]] bool flush();
  // Ends the capture with a statistics block an interface; transitions that no packet followed
  // are its comment.
  [[nodiscard]] bool finish();

 private:
  struct Count {
    Instant at;  // Of the last packet.
    std::uint64_t packets = 0;
  };
  [[nodiscard]] bool hand_on();
  void append(const Event& event, Bytes packet);
  void ensure_interface(std::uint8_t index);
  [[nodiscard]] wire::pcapng::WallTime wall(Instant at) const;
  std::string take_transitions(const Event& packet);

  CaptureConfig config_;
  Sink sink_;
  EventOrder order_;
  std::vector<std::byte> blocks_;
  std::vector<Event> transitions_;  // Not yet told.
  std::vector<Count> interfaces_;
  bool refused_ = false;
};

// A capture in a file that is whole at every moment when its disk is full: what does not fit is
// cut off behind the last block that did.
class CaptureFile {
 public:
  // Creates or empties the file.
  CaptureFile(const std::filesystem::path& path, const CaptureConfig& config);
  // Finishes the capture; call finish() to learn how that went.
  ~CaptureFile();
  CaptureFile(const CaptureFile&) = delete;
  CaptureFile& operator=(const CaptureFile&) = delete;

  // Of each, false: the file could not be opened or written; error() says why, and stays.
  [[nodiscard]] bool event(const Event& event, Bytes packet) {
    return writer_.event(event, packet);
  }
  [[nodiscard]] bool flush() { return writer_.flush(); }
  [[nodiscard]] bool finish();
  [[nodiscard]] std::error_code error() const { return error_; }

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  bool write(Bytes blocks);

  std::filesystem::path path_;
  std::unique_ptr<std::FILE, Close> file_;
  std::uintmax_t whole_ = 0;
  std::error_code error_;
  CaptureWriter writer_;
};

}  // namespace estab::observe
