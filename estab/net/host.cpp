// SPDX-License-Identifier: Apache-2.0
#include "estab/net/host.hpp"

#include <algorithm>
#include <stdexcept>

#include "estab/host/entropy.hpp"
#include "estab/host/interface.hpp"
#include "estab/net/host_core.hpp"
#include "estab/observe/capture.hpp"

namespace estab::net {
namespace {

Prefix parse_prefix(const std::string& text) {
  if (const auto prefix = Prefix::parse(text)) return *prefix;
  throw std::invalid_argument{"not an address with its network's length: \"" + text + '"'};
}

std::vector<Prefix> addresses_of(const host_options& options) {
  std::vector<Prefix> addresses;
  if (!options.address.empty()) addresses.push_back(parse_prefix(options.address));
  for (const auto& text : options.more_addresses) addresses.push_back(parse_prefix(text));
  return addresses;
}

// The network's address plus n.
Address nth(const Prefix& network, std::uint8_t n) {
  auto octets = network.address.prefix(network.length).octets();
  octets.back() = std::uint8_t(octets.back() + n);
  return Address::v6(octets);
}

std::vector<Prefix> kernel_addresses_of(const host_options& options,
                                        const std::vector<Prefix>& ours) {
  std::vector<Prefix> addresses;
  for (const auto& text : options.kernel_addresses) addresses.push_back(parse_prefix(text));
  if (!addresses.empty()) return addresses;
  for (const auto& own : ours) {
    const unsigned bits = own.address.is_v4() ? 32 : 128;
    if (own.length + 1u >= bits) continue;  // No room for two hosts: the caller must say.
    const auto first = nth(own, 1);
    addresses.push_back({first == own.address ? nth(own, 2) : first, own.length});
  }
  return addresses;
}

// A TUN: its descriptor is ours, its interface the kernel's.
bool is_the_kernels(const link::Device& device) {
  return device.descriptor() >= 0 && estab::host::has_interface(device.info().name);
}

void bring_up_kernel_end(const std::string& name, const std::vector<Prefix>& addresses) {
  for (const auto& address : addresses) estab::host::add_address(name, address);
  estab::host::bring_up(name);
}

void add_default_routes(Stack& stack, std::uint8_t interface, const std::vector<Prefix>& ours) {
  for (const auto& all : {Prefix{Address::v4(0, 0, 0, 0), 0}, Prefix{}})
    if (std::ranges::any_of(
            ours, [&](const auto& p) { return p.address.is_v4() == all.address.is_v4(); }))
      stack.add_route({all, interface});
}

std::shared_ptr<observe::CaptureFile> start_capture(runtime::Shard& shard,
                                                    const std::string& path) {
  const auto wall = std::chrono::system_clock::now().time_since_epoch();
  observe::CaptureConfig config;
  config.start = wire::pcapng::WallTime{wall - runtime::Shard::now().time_since_epoch()};
  config.interfaces.push_back(shard.device(0).info().name);
  auto file = std::make_shared<observe::CaptureFile>(path, config);
  if (file->error()) throw std::system_error{file->error(), "capture " + path};
  shard.add_view([file](const Event& event, Bytes packet) { (void)file->event(event, packet); });
  return file;
}

}  // namespace

host::host(const executor_type& executor, std::unique_ptr<link::Device> device,
           const host_options& options)
    : core_(
          detail::HostCore::create(executor, options.stack, estab::host::draw_random<Secrets>())) {
  add_device(std::move(device), options);
  if (!options.capture.empty()) capture_ = start_capture(core_->shard(), options.capture);
}

host::host(host&& other) noexcept = default;

host& host::operator=(host&& other) noexcept {
  if (this == &other) return *this;
  close();
  core_ = std::move(other.core_);
  capture_ = std::move(other.capture_);
  return *this;
}

host::~host() { close(); }

void host::add_device(std::unique_ptr<link::Device> device, const host_options& options) {
  core_->check_turn();
  const auto addresses = addresses_of(options);
  const auto interface = core_->shard().add_device(std::move(device), addresses);
  if (options.default_route) add_default_routes(core_->stack(), interface, addresses);
  const auto& added = core_->shard().device(interface);
  if (is_the_kernels(added))
    bring_up_kernel_end(added.info().name, kernel_addresses_of(options, addresses));
}

void host::add_view(view shown, std::uint32_t octets) {
  core_->check_turn();
  core_->shard().add_view(std::move(shown), octets);
}

host::executor_type host::get_executor() const noexcept { return core_->executor(); }

Snapshot host::snapshot() const { return core_->stack().snapshot(runtime::Shard::now()); }

std::vector<ListenerInfo> host::listeners() const {
  return core_->stack().listeners(runtime::Shard::now());
}

void host::set_cookie_keys(const tcp::CookieMaster& master,
                           const std::optional<tcp::CookieMaster>& previous) {
  core_->check_turn();
  const auto wall = std::chrono::system_clock::now().time_since_epoch();
  core_->stack().set_cookie_keys({.master = master,
                                  .previous = previous,
                                  .wall_offset = wall - runtime::Shard::now().time_since_epoch()});
}

std::error_code host::capture_error() const {
  return capture_ ? capture_->error() : std::error_code{};
}

const PacketPool& host::pool() const { return core_->shard().pool(); }

void host::close() {
  if (core_) core_->close();
}

}  // namespace estab::net
