// SPDX-License-Identifier: Apache-2.0
#include "estab/cli/session.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/serialize.hpp>
#include <csignal>

#include "estab/admin/client.hpp"
#include "estab/admin/document.hpp"
#include "estab/admin/handshakes.hpp"
#include "estab/admin/place.hpp"
#include "estab/cli/commands.hpp"
#include "estab/cli/option_values.hpp"
#include "estab/host/interface.hpp"
#include "estab/link/faulty.hpp"
#include "estab/link/tun.hpp"

namespace estab::cli {
namespace asio = boost::asio;
namespace {

std::unique_ptr<link::Device> open_device(const NetworkOptions& options) {
  // What is shown is what a wire would carry.
  const bool shown = options.ladder || !options.capture.empty();
  auto device = link::tun({.name = options.device, .mtu = options.mtu, .offload = !shown});
  if (options.impairment == fault::Impairment{}) return device;
  return std::make_unique<link::FaultyDevice>(std::move(device),
                                              link::both_ways(options.impairment));
}

std::vector<std::string> all_addresses(const NetworkOptions& options) {
  auto all = options.addresses;
  for (const auto& routed : options.routed)
    if (std::ranges::none_of(options.addresses, [&](const auto& text) {
          return Prefix::parse(text)->address == Prefix::parse(routed)->address;
        }))
      all.push_back(routed);
  return all;
}

// What is routed to the device must not be what the kernel takes for its own.
void add_routes(const NetworkOptions& options) {
  for (const auto& text : options.routed) {
    const auto ours = *Prefix::parse(text);
    if (host::is_delivered_here(ours.address))
      throw Failure(ours.address.to_string() +
                    " is an address of this machine's kernel, which takes its packets itself\n"
                    "Take it off the kernel's interface (ip address del), or name another.");
    host::add_route(options.device, ours);
  }
}

// Whether the device is down, so that nobody reaches what is routed to it; says what has changed.
bool restore_routes(const NetworkOptions& options, bool lost) {
  bool down = false, restored = false;
  for (const auto& text : options.routed) {
    try {
      host::add_route(options.device, *Prefix::parse(text));
      restored = true;
    } catch (const std::system_error& error) {
      if (error.code() != std::errc::file_exists) down = true;
    }
  }
  if (down && !lost)
    fmt::print(stderr, "estab: {0} is down: nobody reaches it (ip link set {0} up)\n",
               options.device);
  if (restored && !down)
    fmt::print(stderr, "estab: {} is up again, with its routes\n", options.device);
  return down;
}

void tell_of_the_dead() {
  std::vector<admin::Process> dead;
  (void)admin::running(admin::default_folder(), &dead);
  for (const auto& process : dead)
    fmt::print(stderr,
               "estab: the estab with the pid {} was killed: its connections are lost; its control "
               "socket is removed\n",
               process.pid);
}

net::host_options host_options_of(const NetworkOptions& options, const StackConfig& stack) {
  return {.more_addresses = all_addresses(options),
          .kernel_addresses = options.peer_addresses,
          .stack = stack};
}

std::string advice_on(const std::error_code& error) {
  if (error == std::errc::address_in_use)
    return "\nAnother program listens there; choose another port.";
  if (error == std::errc::address_not_available)
    return "\nGive an address of this machine, such as 127.0.0.1 or [::1], or 0.0.0.0 for all.";
  if (error == std::errc::permission_denied)
    return "\nChoose a port of 1024 or more, or run as root.";
  return "";
}

}  // namespace

Session::Session(const NetworkOptions& options, const StackConfig& stack,
                 const std::string& service, LadderTo ladder)
    : signals_(io_, SIGINT, SIGTERM, SIGHUP),
      first_signal_(io_, asio::steady_timer::time_point::max()) {
  check_addresses(options);
  tell_of_the_dead();
  host_.emplace(io_, open_device(options), host_options_of(options, stack));
  add_routes(options);
  if (!options.routed.empty()) asio::co_spawn(io_, keep_routes(options), asio::detached);
  const admin::ProcessInfo info{.pid = ::getpid(),
                                .service = service,
                                .device = options.device,
                                .addresses = all_addresses(options)};
  flood_ = FloodView::start(io_, *host_, stack);
  if (!options.metrics.empty()) serve_metrics(options, info);
  if (!options.capture.empty())
    write_capture(io_, *host_, options, [this](const std::string& why) { fail(why); });
  if (options.ladder) show_ladder(io_, *host_, options, ladder);
  try {
    admin_.emplace(io_.get_executor(), admin::default_folder(), [this, info] {
      auto document = admin::to_json(info, host_->snapshot());
      document["handshakes"] = admin::to_json(flood_->pictures());
      return boost::json::serialize(document) + "\n";
    });
  } catch (const std::system_error& error) {
    fmt::print(stderr, "estab: {}; estab ss will not see this program.\n", error.what());
  }
  wait_for_signal();
}

void Session::run(asio::awaitable<void> work) {
  std::exception_ptr thrown;
  asio::co_spawn(io_, std::move(work), [&](std::exception_ptr why) {
    thrown = why;
    io_.stop();
  });
  io_.run();
  admin_.reset();
  metrics_.reset();
  host_->close();  // The views have then seen the last event, and may have a word on it.
  if (failure_) throw Failure(*failure_);
  if (thrown) std::rethrow_exception(thrown);
}

asio::awaitable<void> Session::interrupted() {
  boost::system::error_code cancelled;
  if (!signalled_)
    co_await first_signal_.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
}

void Session::fail(const std::string& why) {
  if (!failure_) failure_ = why;
  io_.stop();
}

asio::awaitable<std::size_t> Session::drained(Duration at_most) {
  const auto until = asio::steady_timer::clock_type::now() + at_most;
  asio::steady_timer pause(io_);
  for (;;) {
    const auto left = host_->snapshot().connections.size();
    if (left == 0 || asio::steady_timer::clock_type::now() >= until) co_return left;
    pause.expires_after(10ms);
    co_await pause.async_wait(asio::use_awaitable);
  }
}

// The kernel forgets the routes of an interface that goes down; that one came up again it tells
// those who ask.
asio::awaitable<void> Session::keep_routes(NetworkOptions options) {
  asio::steady_timer pause(io_);
  for (bool lost = false;;) {
    pause.expires_after(1s);
    co_await pause.async_wait(asio::use_awaitable);
    lost = restore_routes(options, lost);
  }
}

void Session::serve_metrics(const NetworkOptions& options, const admin::ProcessInfo& process) {
  try {
    metrics_.emplace(io_.get_executor(), parse_endpoint(options.metrics).value(),
                     [this, process](admin::MetricsFormat format) {
                       return admin::to_metrics(process, host_->snapshot(), flood_->pictures(),
                                                format);
                     });
  } catch (const std::system_error& error) {
    throw Failure("cannot serve metrics at " + options.metrics + ": " + error.code().message() +
                  advice_on(error.code()));
  }
}

void Session::wait_for_signal() {
  signals_.async_wait([this](boost::system::error_code error, int signal) {
    if (error) return;
    if (signal == SIGHUP && hangup_) {
      hangup_();
      return wait_for_signal();
    }
    if (std::exchange(signalled_, true))
      return fail("interrupted again: what was still open has been reset");
    first_signal_.cancel();
    wait_for_signal();
  });
}

}  // namespace estab::cli
