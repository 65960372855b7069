// SPDX-License-Identifier: Apache-2.0
#include "estab/runtime/shard.hpp"

#include <malloc.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/strand.hpp>
#include <cassert>

#include "estab/runtime/pool_service.hpp"

namespace estab::runtime {
namespace asio = boost::asio;
namespace {

// So often a turn lets all that is ready run before it: the FIN of a program that answers in one
// handler and closes in the next goes out with the text.
constexpr unsigned yields_a_turn = 2;
constexpr std::size_t batch_size = 256;  // Packets of one device a turn; then the others' turn.

PacketPool& pool_of(const asio::any_io_executor& executor) {
  return asio::use_service<PoolService>(asio::query(executor, asio::execution::context)).pool();
}

}  // namespace

Shard::Shard(const asio::any_io_executor& executor, const StackConfig& config,
             const Secrets& secrets, Owner& owner)
    : executor_(executor),
      pool_(pool_of(executor)),
      stack_(pool_, config, secrets),
      owner_(owner),
      batch_(batch_size),
      timer_(executor) {}

Shard::~Shard() { end(); }

std::uint8_t Shard::add_device(std::unique_ptr<link::Device> device,
                               std::vector<Prefix> addresses) {
  assert(waiters_.size() < 256);
  const auto& info = device->info();
  const auto interface = stack_.add_interface({.addresses = std::move(addresses),
                                               .mtu = info.mtu,
                                               .largest_segment = info.largest_segment,
                                               .transmit_checksum = info.transmit_checksum});
  auto wake_me = [self = weak_from_this()] {
    if (auto shard = self.lock()) shard->wake();
  };
  waiters_.push_back(std::make_unique<Waiter>(executor_, std::move(device), std::move(wake_me)));
  wake();
  return interface;
}

void Shard::add_view(View view, std::uint32_t octets) {
  octets_shown_ = std::max(octets_shown_, octets);
  stack_.log().enable(octets_shown_);
  views_.push_back(std::move(view));
}

Instant Shard::now() { return Instant{std::chrono::steady_clock::now().time_since_epoch()}; }

void Shard::wake() {
  if (ended_ || turn_posted_) return;
  post_turn();
}

void Shard::post_turn() {
  turn_posted_ = true;
  asio::post(executor_, [self = shared_from_this()] { self->turn(); });
}

void Shard::hold() {
  if (holds_++ == 0) wake();
}

void Shard::release() {
  assert(holds_ > 0);
  if (--holds_ == 0) wake();
}

void Shard::end() {
  if (std::exchange(ended_, true)) return;
  try {
    now_ = now();
    send_owed();
    show_views();
  } catch (const std::exception&) {
    // It ends all the same; whoever must know was told by ended().
  }
  waiters_.clear();
  views_.clear();
  timer_.cancel();
  work_ = {};
}

bool Shard::in_turn() const {
  const auto me = std::this_thread::get_id();
  const auto loop = loop_thread_.load(std::memory_order_relaxed);
  if (loop == std::thread::id{} || loop == me) return true;
  using IoExecutor = asio::io_context::executor_type;
  if (const auto* io = executor_.target<IoExecutor>())
    return io->running_in_this_thread() || io->context().stopped();
  if (const auto* strand = executor_.target<asio::strand<IoExecutor>>())
    return strand->running_in_this_thread() || strand->get_inner_executor().context().stopped();
  return true;  // An executor that cannot be asked.
}

bool Shard::ready(std::uint8_t interface) { return waiters_[interface]->device().ready(); }

void Shard::transmit(Packet packet) {
  auto& device = waiters_[packet.interface()]->device();
  device.transmit(pool_, std::move(packet), now_);
}

void Shard::turn() {
  turn_posted_ = false;
  if (ended_) return;
  if (yields_ < yields_a_turn) {
    ++yields_;
    return post_turn();
  }
  yields_ = 0;
  loop_thread_.store(std::this_thread::get_id(), std::memory_order_relaxed);
  now_ = now();
  try {
    exchange_packets();
    show_views();
  } catch (const std::system_error& error) {
    end();
    owner_.ended(error.code());
    return;
  }
  wait_or_rest();
}

void Shard::exchange_packets() {
  for (std::size_t i = 0; i < waiters_.size(); ++i) receive_from(std::uint8_t(i));
  dispatch_notices();
  send_owed();
  // Timers that ran out have notices of their own.
  dispatch_notices();
  give_back_memory();
}

// The allocator keeps the pages of what was freed. They go back to the system some seconds after
// much less is held than before, so that a load that has gone leaves nothing behind.
void Shard::give_back_memory() {
  constexpr std::size_t much = 32 << 20;  // Bytes.
  const std::size_t held = pool_.live_bytes() + pool_.cached_bytes() + stack_.memory();
  peak_held_ = std::max(peak_held_, held);
  if (trim_at_ == never && peak_held_ - held >= much) trim_at_ = now_ + 10s;
  if (now_ < trim_at_) return;
  trim_at_ = never;
  peak_held_ = held;
  pool_.trim();
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

void Shard::receive_from(std::uint8_t interface) {
  auto& device = waiters_[interface]->device();
  const auto count = device.receive(pool_, batch_, now_);
  const auto arrived = std::span{batch_}.first(count);
  for (auto& packet : arrived) packet.interface() = interface;
  stack_.receive(arrived, now_);
  for (auto& packet : arrived) packet = Packet{};
  if (count == batch_.size()) wake();
}

void Shard::dispatch_notices() {
  for (Notice notice; stack_.next_notice(notice);) owner_.notice(notice);
}

void Shard::send_owed() {
  blocked_ = !stack_.poll_transmit(*this, now_);
  for (auto& waiter : waiters_) waiter->device().flush();
}

void Shard::show_views() {
  if (stack_.log().empty()) return;
  stack_.log().drain([this](const Event& event, Bytes packet) {
    for (const auto& view : views_) view(event, packet);
  });
}

bool Shard::at_rest() const {
  // What a device of the system still holds is on its way; a full queue in memory is its reader's.
  const auto idle = [](const auto& waiter) {
    return waiter->device().ready() || waiter->device().descriptor() < 0;
  };
  return holds_ == 0 && stack_.finishing() == 0 && std::ranges::all_of(waiters_, idle);
}

Instant Shard::next_deadline() const {
  // What the sink refused waits for the sink, not for the clock.
  auto deadline = std::min(blocked_ ? never : stack_.next_deadline(), trim_at_);
  for (const auto& waiter : waiters_)
    deadline = std::min(deadline, waiter->device().next_deadline());
  return deadline;
}

void Shard::wait_or_rest() {
  if (turn_posted_) return;
  if (at_rest()) {
    for (auto& waiter : waiters_) waiter->cancel();
    if (std::exchange(armed_, never) != never) timer_.cancel();
    work_ = {};
    return;
  }
  if (!work_) work_ = asio::prefer(executor_, asio::execution::outstanding_work.tracked);
  bool all_ready = true;
  for (auto& waiter : waiters_) {
    waiter->wait_readable();
    if (waiter->device().ready()) continue;
    all_ready = false;
    waiter->wait_writable();  // To send what is owed, or what the device itself still holds.
  }
  if (blocked_ && all_ready) return wake();  // It became ready meanwhile.
  arm(next_deadline());
}

void Shard::arm(Instant deadline) {
  // A timer that runs out too early costs one turn that finds nothing to do; moving it each time
  // that the deadline moves later would cost more.
  if (deadline >= armed_) return;
  armed_ = deadline;
  if (deadline <= now_) {
    armed_ = never;
    return wake();
  }
  timer_.expires_at(std::chrono::steady_clock::time_point{deadline.time_since_epoch()});
  timer_.async_wait([self = weak_from_this(), deadline](boost::system::error_code error) {
    auto shard = self.lock();
    if (!shard || error) return;
    if (shard->armed_ == deadline) shard->armed_ = never;
    shard->wake();
  });
}

}  // namespace estab::runtime
