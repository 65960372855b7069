// SPDX-License-Identifier: Apache-2.0
#include "estab/cli/flood_demo.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "estab/cli/demo_peer.hpp"
#include "estab/cli/demo_picture.hpp"
#include "estab/cli/demo_process.hpp"
#include "estab/cli/flood_ends.hpp"
#include "estab/fault/forged_syns.hpp"
#include "estab/host/interface.hpp"
#include "estab/link/memory.hpp"
#include "estab/link/tun.hpp"

namespace estab::cli::demo {
namespace {

using observe::Tone;

// The addresses of RFC 2544, which nobody has.
const Prefix forged_sources{Address::v4(198, 18, 0, 0), 15};
constexpr Duration tick = 1ms, line_time = 500ms;
constexpr Duration calm = 1s, trouble = 7s, after = 1s;
constexpr unsigned clients_per_second = 20, crowd_per_second = 400, syns_per_second = 400;

struct Act {
  std::string_view name, headline, sentences;
  bool kernel_serves;
  tcp::CookieUse defence;  // Of ours.
  unsigned syns, clients;  // A second, in the time of trouble.
};

constexpr Act acts[] = {
    {"kernel", "the Linux kernel, its SYN cookies switched off",
     "Every forged SYN leaves a half-open record that waits for an ACK which never comes. When the "
     "queue is full, the SYNs of real clients are dropped with the rest [RFC 4987 §2]. The kernel "
     "keeps its last quarter for peers that it knows.",
     true, tcp::CookieUse::never, syns_per_second, clients_per_second},
    {"undefended", "estab, its defence switched off",
     "The same queue, the same fate: it is a matter of the protocol, not of who wrote the code. "
     "Only the verdict tells now what goes on [RFC 4987 §2].",
     false, tcp::CookieUse::never, syns_per_second, clients_per_second},
    {"defended", "estab, its defence on",
     "The sequence number of each SYN-ACK is a cookie, so a record may go for a newer one, or "
     "never "
     "be made: the ACK brings back all that must be known [RFC 4987 §3.6].",
     false, tcp::CookieUse::under_pressure, syns_per_second, clients_per_second},
    {"crowd", "a flash crowd of real clients",
     "As many SYNs as in the flood, but their handshakes complete. That is what tells a busy "
     "morning from an attack: no defence is needed, and no alarm is given [RFC 4987 §2].",
     false, tcp::CookieUse::under_pressure, 0, crowd_per_second},
};

// Real time, or a time that is as we say.
class Clock {
 public:
  explicit Clock(bool real) : real_(real), now_(real ? wall() : Instant{1s}) {}
  [[nodiscard]] Instant now() const { return now_; }
  void go_to(Instant t) {
    if (real_) {
      if (const auto left = t - wall(); left > 0ns) std::this_thread::sleep_for(left);
      now_ = wall();
    } else {
      now_ = t;
    }
  }

 private:
  static Instant wall() { return Instant{std::chrono::steady_clock::now().time_since_epoch()}; }
  bool real_;
  Instant now_;
};

StackConfig config_of(const Act& act) {
  StackConfig config;
  config.tcp.syn_cookies = act.defence;
  return config;
}

std::string milliseconds(Duration d) {
  return d < tick ? "< 1 ms" : fmt::format("{} ms", d / 1ms);  // As finely as time is looked at.
}

Duration quantile(std::vector<Duration> of, double share) {
  std::ranges::sort(of);
  return of[std::size_t(double(of.size() - 1) * share)];
}

// What the closing table says of an act.
struct Outcome {
  std::string_view name;
  std::uint32_t most_half_open = 0;
  std::size_t tried = 0, served = 0;
  std::string median = "-", slowest = "-", mode, verdict = "-";
};

class Play {
 public:
  Play(const Act& act, const Terminal& terminal, bool with_kernel)
      : act_(act),
        terminal_(terminal),
        picture_(terminal),
        clock_(with_kernel),
        forged_({.target = {Address{}, flooded_port}, .sources = forged_sources}) {
    const Instant now = clock_.now();
    if (with_kernel) {
      auto device = link::tun({.name = "estab0", .offload = false});
      host::add_address("estab0", peer_address);
      host::bring_up("estab0");
      host::add_route("estab0", {Address::v4(0, 0, 0, 0), 0});
      ours_.emplace(pool_, std::move(device), our_address, config_of(act));
    } else {
      auto [here, there] = link::memory_pair({.vouch = false});
      ours_.emplace(pool_, std::move(here), our_address, config_of(act));
      theirs_.emplace(pool_, std::move(there), peer_address, StackConfig{});
    }
    const Endpoint to_us{our_address.address, flooded_port};
    const Endpoint to_them{peer_address.address, flooded_port};
    if (act.kernel_serves) {
      server_ = kernel_server(peer_address.address);
      clients_ = our_clients(*ours_, to_them);
    } else {
      server_ = our_server(*ours_, now);
      clients_ = theirs_ ? our_clients(*theirs_, to_us) : kernel_clients(to_us);
    }
    forged_ = fault::ForgedSyns({.target = act.kernel_serves ? to_them : to_us,
                                 .sources = forged_sources,
                                 .timestamps = 0.5,
                                 .seed = 1});
  }

  Outcome play() {
    picture_.headline(act_.name, act_.headline);
    picture_.paragraph(act_.sentences);
    picture_.paragraph({});
    picture_.row({"time", fmt::format("half-open of {}", flooded_limit), "", "mode",
                  "clients served", "median"},
                 widths_, Tone::strong);
    const Instant begin = clock_.now(), end = begin + calm + trouble + after;
    Instant next_line = begin + line_time;
    for (Instant t = begin; t < end; t += tick) {
      clock_.go_to(t);
      step(t - begin);
      if (t < next_line) continue;
      line(t - begin);
      next_line += line_time;
    }
    for (Instant t = end; clients_->latencies().size() + clients_->failed() < clients_->begun();
         t += tick) {
      clock_.go_to(t);
      step(t - begin);
    }
    return outcome();
  }

 private:
  void step(Duration at) {
    throw_if_interrupted();
    const Instant now = clock_.now();
    const bool over = at >= calm + trouble + after, in_trouble = at >= calm && at < calm + trouble;
    const unsigned rate = in_trouble ? act_.clients : clients_per_second;
    clients_due_ += over ? 0 : rate * std::chrono::duration<double>(tick).count();
    if (in_trouble) syns_due_ += act_.syns * std::chrono::duration<double>(tick).count();
    for (; syns_due_ >= 1; --syns_due_) {
      Packet syn = forged_.next(pool_);
      if (act_.kernel_serves) ours_->send(std::move(syn), now);
      else ours_->arrive(std::move(syn), now);
    }
    for (; clients_due_ >= 1; --clients_due_) clients_->begin(now);
    work(now);
    most_half_open_ = std::max(most_half_open_, act_.kernel_serves ? 0 : server_->half_open());
  }

  void work(Instant now) {
    ours_->work(now);
    if (theirs_) theirs_->work(now), ours_->work(now), theirs_->work(now);
    server_->work(now);
    clients_->work(now);
    ours_->work(now);
  }

  // Of the clients that were done since the last line.
  void line(Duration at) {
    const auto& latencies = clients_->latencies();
    const std::vector<Duration> recent(latencies.begin() + std::ptrdiff_t(shown_served_),
                                       latencies.end());
    const std::size_t tried = recent.size() + clients_->failed() - shown_failed_;
    const std::uint32_t half_open = server_->half_open();
    most_half_open_ = std::max(most_half_open_, half_open);
    const auto mode = server_->mode();
    if (mode != "NORMAL" || last_mode_.empty()) last_mode_ = mode;
    picture_.row(
        {fmt::format("{:.1f} s", std::chrono::duration<double>(at).count()), bar(half_open),
         std::to_string(half_open), mode, fmt::format("{} of {}", recent.size(), tried),
         recent.empty() ? "-" : milliseconds(quantile(recent, 0.5))},
        widths_, recent.size() < tried ? Tone::strong : Tone::plain);
    shown_served_ = latencies.size();
    shown_failed_ = clients_->failed();
    const auto* report = server_->report();
    if (report == nullptr || report->verdict == verdict_) return;
    verdict_ = report->verdict;
    if (verdict_ != observe::Verdict::quiet) named_ = verdict_;
    picture_.paragraph("Verdict: " + report->in_words() + ".");
    picture_.paragraph({});
  }

  [[nodiscard]] std::string bar(std::uint32_t half_open) const {
    constexpr std::uint32_t width = 20;
    const std::uint32_t full =
        std::min(width, (half_open * width + flooded_limit / 2) / flooded_limit);
    std::string text;
    for (std::uint32_t n = 0; n < width; ++n) text += n < full ? "#" : ".";
    return text;
  }

  [[nodiscard]] Outcome outcome() {
    Outcome o{.name = act_.name, .most_half_open = most_half_open_};
    o.tried = clients_->begun();
    o.served = clients_->latencies().size();
    if (o.served > 0) {
      o.median = milliseconds(quantile(clients_->latencies(), 0.5));
      o.slowest = milliseconds(quantile(clients_->latencies(), 0.99));
    }
    o.mode = last_mode_;
    if (server_->report() != nullptr) o.verdict = observe::to_string(named_);
    return o;
  }

  const Act& act_;
  Terminal terminal_;
  Picture picture_;
  Clock clock_;
  PacketPool pool_;
  std::optional<OurStack> ours_, theirs_;
  std::unique_ptr<FloodedServer> server_;
  std::unique_ptr<RealClients> clients_;
  fault::ForgedSyns forged_;
  const std::vector<std::size_t> widths_{6, 20, 4, 10, 15, 9};
  double clients_due_ = 0, syns_due_ = 0;
  std::uint32_t most_half_open_ = 0;
  std::size_t shown_served_ = 0, shown_failed_ = 0;
  std::string last_mode_;
  observe::Verdict verdict_ = observe::Verdict::quiet, named_ = observe::Verdict::quiet;
};

void print_outcomes(const Terminal& terminal, const std::vector<Outcome>& outcomes) {
  Picture picture(terminal);
  const std::vector<std::size_t> widths{10, 9, 9, 7, 7, 9, 13};
  picture.headline(flood_name, "what became of the real clients");
  picture.paragraph({});
  picture.row({"act", "half-open", "served", "median", "slowest", "mode", "verdict"}, widths,
              Tone::strong);
  for (const auto& o : outcomes)
    picture.row({std::string(o.name), fmt::format("{}/{}", o.most_half_open, flooded_limit),
                 fmt::format("{}/{}", o.served, o.tried), o.median, o.slowest, o.mode, o.verdict},
                widths, Tone::plain);
}

}  // namespace

void play_syn_flood(const Terminal& terminal, bool with_kernel) {
  Picture(terminal).paragraph(fmt::format(
      "A flood of {} forged SYNs a second for {} seconds, from sources in {}, made in this program "
      "and written to its own device alone. Meanwhile {} real clients a second connect, say a word "
      "and close; who is not served within a second gives up.",
      syns_per_second, trouble / 1s, forged_sources.to_string(), clients_per_second));
  std::vector<Outcome> outcomes;
  for (const auto& act : acts)
    if (with_kernel || !act.kernel_serves)
      outcomes.push_back(Play(act, terminal, with_kernel).play());
  print_outcomes(terminal, outcomes);
}

}  // namespace estab::cli::demo
