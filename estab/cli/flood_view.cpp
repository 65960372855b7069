// SPDX-License-Identifier: Apache-2.0
#include "estab/cli/flood_view.hpp"

#include <fmt/core.h>

#include <boost/asio/io_context.hpp>

#include "estab/host/entropy.hpp"
#include "estab/observe/flood_listener.hpp"
#include "estab/runtime/shard.hpp"
#include "estab/tcp/half_open.hpp"

namespace estab::cli {
namespace {

constexpr Duration between_looks = 250ms;
// Enough for a picture; a flood is judged by a sample as well as by all of it.
constexpr observe::HandshakeBoardConfig small{.listeners = 32, .sample = 4096, .detector = {}};

}  // namespace

FloodView::FloodView(boost::asio::io_context& io, net::host& host, Milliseconds half_open_timeout)
    : host_(host),
      half_open_timeout_(half_open_timeout),
      timer_(io),
      board_(host::draw_random<HashKey>(), observe::HandshakeSource::listener(), small) {}

std::shared_ptr<FloodView> FloodView::start(boost::asio::io_context& io, net::host& host,
                                            const StackConfig& config) {
  const auto timeout = std::chrono::ceil<Milliseconds>(tcp::half_open_life(config.tcp));
  auto view = std::make_shared<FloodView>(io, host, timeout);
  host.add_view(
      [view](const Event& event, Bytes) {
        view->advance(event.at);
        observe::observe(view->board_, event);
      },
      0);
  view->look();
  return view;
}

void FloodView::look() {
  const Instant now = runtime::Shard::now();
  advance(now);
  observe::observe(board_, Snapshot{.at = now, .listeners = host_.listeners()}, half_open_timeout_);
  timer_.expires_after(between_looks);
  timer_.async_wait([weak = weak_from_this()](boost::system::error_code cancelled) {
    const auto self = weak.lock();
    if (self && !cancelled) self->look();
  });
}

void FloodView::advance(Instant now) {
  board_.advance(now, [this](const observe::FloodReport& next) { report(next); });
}

void FloodView::report(const observe::FloodReport& report) {
  const auto& listener = report.evidence.listener;
  if (listener == Endpoint{}) return;  // All together: its listeners have their own.
  auto& said = said_.try_emplace(listener, observe::Verdict::quiet).first->second;
  if (std::exchange(said, report.verdict) == report.verdict) return;
  fmt::print(stderr, "estab: {}: {}\n", listener.to_string(), report.in_words());
}

}  // namespace estab::cli
