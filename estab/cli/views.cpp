// SPDX-License-Identifier: Apache-2.0
#include "estab/cli/views.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "estab/cli/commands.hpp"
#include "estab/cli/terminal.hpp"
#include "estab/observe/capture.hpp"
#include "estab/observe/ladder.hpp"
#include "estab/runtime/shard.hpp"

namespace estab::cli {
namespace asio = boost::asio;
namespace {

// Draws, and prints what was drawn when a turn of the loop is over.
class LadderView : public std::enable_shared_from_this<LadderView> {
 public:
  LadderView(asio::io_context& io, const observe::LadderStyle& style, std::FILE* out)
      : io_(io),
        out_(out),
        ladder_(style, observe::Witness::one_end,
                [this](std::string_view line) { lines_.append(line).push_back('\n'); }) {}
  ~LadderView() { print(); }
  LadderView(LadderView&&) = delete;

  void event(const Event& event, Bytes packet) {
    if (event.flow == Flow{}) return;  // The kernel's multicasts, say: no end of a ladder.
    ladder_.event(event, packet);
    if (std::exchange(posted_, true)) return;
    asio::post(io_, [weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->print();
    });
  }

 private:
  void print() {
    posted_ = false;
    ladder_.flush();
    std::fwrite(lines_.data(), 1, lines_.size(), out_);
    std::fflush(out_);
    lines_.clear();
  }

  asio::io_context& io_;
  std::FILE* out_;
  std::string lines_;
  observe::Ladder ladder_;
  bool posted_ = false;
};

std::vector<std::pair<Address, std::string>> names_of(const NetworkOptions& options) {
  std::vector<std::pair<Address, std::string>> names;
  for (const auto* texts : {&options.addresses, &options.routed})
    for (const auto& text : *texts)
      if (const auto prefix = Prefix::parse(text)) names.emplace_back(prefix->address, "estab");
  return names;
}

// Fills the file, and hands what gathers there on to it a few times a second.
class CaptureView : public std::enable_shared_from_this<CaptureView> {
 public:
  using Failed = std::function<void(const std::string&)>;
  CaptureView(asio::io_context& io, const std::string& path, const observe::CaptureConfig& config,
              Failed failed)
      : path_(path), file_(path, config), timer_(io), failed_(std::move(failed)) {}

  ~CaptureView() {
    if (!file_.error() && !file_.finish()) fail();
  }
  CaptureView(CaptureView&&) = delete;

  [[nodiscard]] std::error_code error() const { return file_.error(); }
  void event(const Event& event, Bytes packet) {
    if (!file_.event(event, packet)) return fail();
    if (std::exchange(waiting_, true)) return;
    timer_.expires_after(200ms);
    timer_.async_wait([weak = weak_from_this()](boost::system::error_code cancelled) {
      const auto self = weak.lock();
      if (!self || cancelled) return;
      self->waiting_ = false;
      if (!self->file_.flush()) self->fail();
    });
  }

 private:
  void fail() {
    if (!failed_) return;
    std::exchange(failed_, nullptr)(cannot_write_capture(path_, file_.error()));
  }

  std::string path_;
  observe::CaptureFile file_;
  asio::steady_timer timer_;
  Failed failed_;
  bool waiting_ = false;
};

}  // namespace

void show_ladder(asio::io_context& io, net::host& host, const NetworkOptions& options,
                 LadderTo where) {
  std::FILE* out = where == LadderTo::standard_output ? stdout : stderr;
  const auto terminal = terminal_of(::fileno(out));
  const observe::LadderStyle style{.width = terminal.width,
                                   .utf8 = terminal.utf8,
                                   .colour = terminal.colour,
                                   .names = names_of(options)};
  auto view = std::make_shared<LadderView>(io, style, out);
  host.add_view([view](const Event& event, Bytes packet) { view->event(event, packet); });
}

void write_capture(asio::io_context& io, net::host& host, const NetworkOptions& options,
                   std::function<void(const std::string& why)> failed) {
  const auto wall = std::chrono::system_clock::now().time_since_epoch();
  const auto start = wall - runtime::Shard::now().time_since_epoch();
  auto view =
      std::make_shared<CaptureView>(io, options.capture,
                                    observe::CaptureConfig{.start = wire::pcapng::WallTime{start},
                                                           .interfaces = {options.device}},
                                    std::move(failed));
  if (view->error()) throw Failure(cannot_make_capture(options.capture, view->error()));
  host.add_view([view](const Event& event, Bytes packet) { view->event(event, packet); });
}

std::string cannot_make_capture(const std::string& path, std::error_code why) {
  return fmt::format("cannot make the capture {}: {}\nName a file that may be written.", path,
                     why.message());
}

std::string cannot_write_capture(const std::string& path, std::error_code why) {
  return fmt::format("cannot write the capture {}: {}\nIt is whole up to there.", path,
                     why.message());
}

}  // namespace estab::cli
