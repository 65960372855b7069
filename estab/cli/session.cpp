// SPDX-License-Identifier: Apache-2.0
#include "estab/cli/session.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/serialize.hpp>
#include <csignal>

#include "estab/admin/document.hpp"
#include "estab/admin/place.hpp"
#include "estab/cli/commands.hpp"
#include "estab/cli/endpoint_option.hpp"
#include "estab/link/faulty.hpp"
#include "estab/link/tun.hpp"

namespace estab::cli {
namespace asio = boost::asio;
namespace {

std::unique_ptr<link::Device> open_device(const NetworkOptions& options) {
  auto device = link::tun({.name = options.device, .mtu = options.mtu});
  if (options.impairment == fault::Impairment{}) return device;
  return std::make_unique<link::FaultyDevice>(std::move(device),
                                              link::both_ways(options.impairment));
}

net::host_options host_options_of(const NetworkOptions& options, const StackConfig& stack) {
  return {.more_addresses = options.addresses,
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
  host_.emplace(io_, open_device(options), host_options_of(options, stack));
  const admin::ProcessInfo info{.pid = ::getpid(),
                                .service = service,
                                .device = options.device,
                                .addresses = options.addresses};
  if (!options.metrics.empty()) serve_metrics(options, info);
  if (!options.capture.empty())
    write_capture(io_, *host_, options, [this](const std::string& why) { fail(why); });
  if (options.ladder) show_ladder(io_, *host_, options, ladder);
  try {
    admin_.emplace(io_.get_executor(), admin::default_folder(), [this, info] {
      return boost::json::serialize(admin::to_json(info, host_->snapshot())) + "\n";
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

void Session::serve_metrics(const NetworkOptions& options, const admin::ProcessInfo& process) {
  try {
    metrics_.emplace(io_.get_executor(), parse_endpoint(options.metrics).value(),
                     [this, process](admin::MetricsFormat format) {
                       return admin::to_metrics(process, host_->snapshot(), format);
                     });
  } catch (const std::system_error& error) {
    throw Failure("cannot serve metrics at " + options.metrics + ": " + error.code().message() +
                  advice_on(error.code()));
  }
}

void Session::wait_for_signal() {
  signals_.async_wait([this](boost::system::error_code error, int) {
    if (error) return;
    if (std::exchange(signalled_, true))
      return fail("interrupted again: what was still open has been reset");
    first_signal_.cancel();
    wait_for_signal();
  });
}

}  // namespace estab::cli
