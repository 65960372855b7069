// SPDX-License-Identifier: Apache-2.0
// A host of its own, inside the program: addresses on a device, and TCP.
#pragma once
#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "estab/event/event.hpp"
#include "estab/link/device.hpp"
#include "estab/net/endpoint.hpp"
#include "estab/stack/stack.hpp"

namespace estab::observe {
class CaptureFile;
}

namespace estab::net {

namespace detail {
class HostCore;
}

struct host_options {
  // Our address with its network's length, as "10.77.0.2/24" or "fd77::2/64"; and further ones, of
  // either family.
  std::string address{};
  std::vector<std::string> more_addresses{};
  // Of a device whose other end is the kernel's (TUN): the addresses that end gets; it is brought
  // up as well. Empty: the first address of each of our networks that is not ours. What is not a
  // device of the kernel ignores them.
  std::vector<std::string> kernel_addresses{};
  // Where what is in none of our networks goes: to the device as well, or no_route.
  bool default_route = true;
  // A pcapng file of all packets, each with its states and reason; empty: none. When it can no
  // longer be written, it is whole up to there, capture_error() says why, and the host goes on.
  std::string capture{};
  StackConfig stack{};
};

// Thread-safety: as net::socket's. It must not outlive the execution context. While a listener
// or a connection is open on it, or one finishes in the background, it keeps the context running.
// Destroying it resets what is open: operations under way complete with operation_aborted, and
// its sockets and acceptors, which may outlive it, refuse every further call.
class host {
 public:
  using executor_type = boost::asio::any_io_executor;
  using view = std::function<void(const Event& event, Bytes packet)>;

  // `context` is an io_context or an executor. Throws std::invalid_argument for an address that is
  // none, std::system_error where the system refuses (no permission, no device, …).
  template <class Context>
    requires requires(Context& c) { executor_type{c.get_executor()}; }
  host(Context& context, std::unique_ptr<link::Device> device, const host_options& options = {})
      : host(boost::asio::any_io_executor{context.get_executor()}, std::move(device), options) {}
  host(const executor_type& executor, std::unique_ptr<link::Device> device,
       const host_options& options = {});
  host(host&& other) noexcept;
  host& operator=(host&& other) noexcept;
  ~host();

  // A further device with addresses of its own; `stack` and `capture` of the options are not used.
  void add_device(std::unique_ptr<link::Device> device, const host_options& options);
  // A view sees each event (packets that came, left or were dropped; transitions) after it
  // happened. `octets`: the most that it needs of a packet.
  void add_view(view shown, std::uint32_t octets = 65535);

  [[nodiscard]] executor_type get_executor() const noexcept;
  // Every listener, connection, half-open and TIME-WAIT record, and the counters.
  [[nodiscard]] Snapshot snapshot() const;
  [[nodiscard]] std::vector<ListenerInfo> listeners() const;
  // The keys of SYN cookies from now on (Stack::set_cookie_keys); wall_offset is set here, from the
  // system's clock.
  void set_cookie_keys(const tcp::CookieMaster& master,
                       const std::optional<tcp::CookieMaster>& previous = {});
  // What ended the capture of host_options, such as a full disk; none while all is well.
  [[nodiscard]] std::error_code capture_error() const;
  // The pool of the execution context, which all its hosts share.
  [[nodiscard]] const PacketPool& pool() const;
  // As the destructor.
  void close();

 private:
  friend class socket;
  friend class acceptor;
  std::shared_ptr<detail::HostCore> core_;
  std::shared_ptr<observe::CaptureFile> capture_;
};

}  // namespace estab::net
