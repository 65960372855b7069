// SPDX-License-Identifier: Apache-2.0
// estab watch: handshakes and floods, of a capture, an interface, the kernel or a running estab.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/Option.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <system_error>

#include "estab/admin/client.hpp"
#include "estab/admin/place.hpp"
#include "estab/cli/commands.hpp"
#include "estab/cli/option_values.hpp"
#include "estab/cli/terminal.hpp"
#include "estab/cli/watch_capture.hpp"
#include "estab/cli/watch_interface.hpp"
#include "estab/cli/watch_kernel.hpp"
#include "estab/cli/watch_log.hpp"
#include "estab/cli/watch_running.hpp"
#include "estab/cli/watch_view.hpp"
#include "estab/host/entropy.hpp"

namespace estab::cli {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

struct WatchCommand {
  std::string file, interface, capture, log, key, speed;
  std::vector<std::string> listeners;
  int pid = 0;
  bool kernel = false, once = false;
};

double speed_of(const std::string& text) {
  char* end = nullptr;
  const double speed = std::strtod(text.c_str(), &end);
  if (!text.empty() && *end == '\0' && speed >= 0.01 && speed <= 10'000) return speed;
  throw UsageError("--speed: '" + text +
                   "' is no speed; such are 0.01 to 10000, and 1 is as it "
                   "happened");
}

// ":80", "*:80", "192.0.2.1:80".
Endpoint listener_of(const std::string& text) {
  const auto any = text.starts_with("*:") ? text.substr(1) : text;
  const auto full = any.starts_with(':') ? "0.0.0.0" + any : any;
  if (const auto endpoint = parse_endpoint(full)) return *endpoint;
  throw UsageError("--listener: '" + text +
                   "' is no listener; such are 192.0.2.1:80, [2001:db8::1]:80, and :80 for any "
                   "address");
}

HashKey key_of(const std::string& text) {
  if (text.empty()) return host::draw_random<HashKey>();
  if (const auto key = parse_key(text)) return *key;
  throw UsageError("--key: '" + text +
                   "' is no key; such are 32 hexadecimal digits, and the log "
                   "of a run begins with its own");
}

void check(const WatchCommand& c) {
  const int sources = !c.file.empty() + !c.interface.empty() + c.kernel + (c.pid != 0);
  if (sources > 1)
    throw UsageError("one at a time may be watched: FILE, --interface, --kernel or --pid");
  if (!c.speed.empty() && c.file.empty())
    throw UsageError("--speed is for a capture: estab watch FILE --speed 10");
  if (!c.capture.empty() && c.interface.empty())
    throw UsageError(
        "--capture writes what an interface shows: estab watch --interface IF "
        "--capture FILE");
  if (!c.key.empty() && c.file.empty() && c.interface.empty())
    throw UsageError("--key is for a replay: estab watch FILE --key HEX");
}

// Lines into a file or to standard output, each at once.
class LineFile {
 public:
  // "-": standard output. Throws Failure.
  explicit LineFile(const std::string& path)
      : path_(path == "-" ? "standard output" : path),
        file_(path == "-" ? stdout : std::fopen(path.c_str(), "we")) {
    if (file_ == nullptr) fail();
  }
  ~LineFile() {
    if (file_ != nullptr && file_ != stdout) std::fclose(file_);
  }
  LineFile(const LineFile&) = delete;

  void line(std::string_view text) {
    if (std::fwrite(text.data(), 1, text.size(), file_) != text.size() ||
        std::fputc('\n', file_) == EOF || std::fflush(file_) != 0)
      fail();
  }

 private:
  [[noreturn]] void fail() {
    throw Failure("cannot write the log to " + path_ + ": " +
                  std::generic_category().message(errno));
  }
  std::string path_;
  std::FILE* file_;
};

class WatchRun {
 public:
  explicit WatchRun(const WatchCommand& command)
      : command_(command), log_([this](std::string_view line) { write(line); }) {
    for (const auto& text : command_.listeners) listeners_.push_back(listener_of(text));
    screen_ = command_.log != "-" && !command_.once && terminal_of(STDOUT_FILENO).screen;
    key_ = key_of(command_.key);
    if (!command_.log.empty()) lines_.emplace(command_.log);
    else if (!screen_ && !command_.once) lines_.emplace("-");
    make_source();
  }

  void run() {
    if (command_.once) return once();
    if (screen_) show_watch(io_, *source_, command_.speed.empty() ? 1 : speed_of(command_.speed));
    else follow();
    end();
  }

 private:
  void make_source() {
    const auto on_report = [this](const observe::FloodReport& report) { log_.report(report); };
    const observe::PassiveWatchConfig config{.listeners = listeners_};
    if (!command_.file.empty()) {
      const double speed = !command_.speed.empty() ? speed_of(command_.speed) : screen_ ? 1 : 0;
      auto source =
          std::make_unique<CaptureSource>(io_, command_.file, speed, key_, on_report, config);
      capture_ = source.get(), source_ = std::move(source);
    } else if (!command_.interface.empty()) {
      auto source = std::make_unique<InterfaceSource>(io_, command_.interface, command_.capture,
                                                      key_, on_report, config);
      interface_ = source.get(), source_ = std::move(source);
    } else if (command_.kernel || (command_.pid == 0 && nobody_runs())) {
      auto source = std::make_unique<KernelSource>(io_, key_, on_report, listeners_);
      kernel_ = source.get(), source_ = std::move(source);
    } else {
      source_ = std::make_unique<RunningSource>(io_, admin::default_folder(), command_.pid);
    }
    // The head of the log; where it can be replayed, with the key for that.
    const bool replays = capture_ != nullptr || interface_ != nullptr;
    write(fmt::format("# estab watch of {}{}", source_->name(),
                      replays ? ", --key " + to_hex(key_) : ""));
  }
  static bool nobody_runs() { return admin::running(admin::default_folder()).empty(); }

  void write(std::string_view line) {
    if (lines_) lines_->line(line);
  }
  // A capture to its end, others for as long as a verdict takes.
  void once() {
    if (capture_ != nullptr) {
      capture_->read_all();
    } else if (interface_ != nullptr || kernel_ != nullptr) {
      asio::steady_timer enough(io_, std::chrono::seconds{observe::judged_after + 2});
      enough.async_wait([this](error_code) { io_.stop(); });
      io_.run();
    }
    const auto place = terminal_of(STDOUT_FILENO);
    fmt::print("{}", watch_page(*source_, {.width = place.width,
                                           .height = std::max(place.height, 40u),
                                           .utf8 = place.utf8,
                                           .colour = place.colour}));
  }

  // Without a screen: until the capture's end, or a signal.
  void follow() {
    if (capture_ != nullptr && command_.speed.empty()) return capture_->read_all();
    asio::signal_set signals(io_, SIGINT, SIGTERM, SIGHUP);
    signals.async_wait([this](error_code error, int) {
      if (!error) io_.stop();
    });
    asio::steady_timer ticks(io_);
    tick(ticks);
    io_.run();
  }
  void tick(asio::steady_timer& ticks) {
    if (source_->finished()) return io_.stop();
    if (capture_ == nullptr && interface_ == nullptr && kernel_ == nullptr) say_pictures();
    ticks.expires_after(std::chrono::milliseconds{500});
    ticks.async_wait([this, &ticks](error_code cancelled) {
      if (!cancelled) tick(ticks);
    });
  }
  // A running estab tells its verdicts in words, without their numbers.
  void say_pictures() {
    for (const auto& picture : source_->pictures()) {
      auto& said = said_[picture.listener];
      if (said == picture.verdict) continue;
      said = picture.verdict;
      write(fmt::format("listener={} verdict={} words=\"{}\"", listener_text(picture.listener),
                        to_string(picture.verdict), picture.words));
    }
  }
  static std::string listener_text(const Endpoint& listener) {
    return listener == Endpoint{} ? "all" : listener.to_string();
  }

  // What cannot be known, then what was seen, in one line.
  void end() {
    for (const auto& note : source_->notes())
      if (!note.starts_with("Passed over")) fmt::print(stderr, "estab: {}\n", note);
    if (kernel_ != nullptr)
      return fmt::print(stderr, "estab: read the kernel {} times; {}\n", kernel_->readings(),
                        verdicts());
    const auto* counts = capture_ != nullptr     ? &capture_->counts()
                         : interface_ != nullptr ? &interface_->counts()
                                                 : nullptr;
    if (counts == nullptr) return;
    const auto over = observe::passed_over_in_words(*counts);
    const auto lost = interface_ != nullptr ? fmt::format("lost {}; ", interface_->lost()) : "";
    fmt::print(stderr, "estab: {} packets seen of {}, passed over {}; {}{}\n", counts->packets,
               source_->name(), over.empty() ? "none" : over, lost, verdicts());
  }
  [[nodiscard]] std::string verdicts() const {
    return log_.lines() == 0 ? "nothing to report"
                             : fmt::format("{} changes of verdict, the worst: {}", log_.lines(),
                                           to_string(log_.worst()));
  }

  const WatchCommand& command_;
  asio::io_context io_{1};
  std::vector<Endpoint> listeners_;
  bool screen_ = false;
  HashKey key_{};
  std::optional<LineFile> lines_;
  WatchLog log_;
  std::map<Endpoint, observe::Verdict> said_;
  std::unique_ptr<WatchSource> source_;
  // Which of them it is.
  CaptureSource* capture_ = nullptr;
  InterfaceSource* interface_ = nullptr;
  KernelSource* kernel_ = nullptr;
};

void run_watch(const WatchCommand& command) {
  check(command);
  WatchRun(command).run();
}

}  // namespace

void add_watch(CLI::App& app) {
  auto* command = app.add_subcommand(
      "watch", "Watch handshakes and tell floods from crowds: live, in a capture, of the kernel");
  auto options = std::make_shared<WatchCommand>();
  command->add_option("FILE", options->file, "A capture: pcapng or pcap")->type_name("");
  command
      ->add_option("-i,--interface", options->interface,
                   "The packets that pass this interface; any: all of them")
      ->type_name("IF");
  command->add_flag("-k,--kernel", options->kernel, "The host kernel's half-open records");
  command->add_option("--pid", options->pid, "Only this running estab")->type_name("PID");
  command->add_option("--listener", options->listeners, "Only this listener (repeatable)")
      ->type_name("ADDRESS:PORT")
      ->allow_extra_args(false);
  command
      ->add_option("--log", options->log,
                   "Write each change of a verdict as a line with its\nnumbers; -: to standard "
                   "output, without a screen")
      ->type_name("FILE");
  command
      ->add_option("--capture", options->capture,
                   "Write the headers of what --interface saw, for replay")
      ->type_name("FILE");
  command->add_option("--key", options->key, "The key of the run that is replayed")
      ->type_name("HEX");
  command->add_option("--speed", options->speed, "A capture, so many times as fast as it happened")
      ->type_name("N");
  command->add_flag("--once", options->once,
                    "One page, as text: of a capture its end, of what is\nlive after 6 s");
  command->footer(
      "Without FILE, --interface or --kernel: the running estab programs; where none runs, the\n"
      "kernel. On a terminal it is a screen; elsewhere, and with --log -, a line for each change\n"
      "of a verdict. docs/watch.md tells what each source cannot know.\n\n"
      "Examples:\n"
      "  estab watch\n"
      "  estab watch --interface eth0 --listener :443 --log floods.log\n"
      "  estab watch --interface any --capture seen.pcapng --log -\n"
      "  estab watch seen.pcapng --key 00112233445566778899aabbccddeeff --log -\n"
      "  estab watch --kernel --once");
  command->callback([options] { run_watch(*options); });
}

}  // namespace estab::cli
