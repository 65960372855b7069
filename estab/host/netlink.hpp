// SPDX-License-Identifier: Apache-2.0
// One conversation with the kernel over netlink, for the sources of this folder.
#pragma once
#include <array>
#include <functional>
#include <memory>
#include <string>

#include "estab/base/address.hpp"

struct mnl_socket;
struct nlmsghdr;

namespace estab::host {

class Netlink {
 public:
  // `bus` is NETLINK_ROUTE or the like, in this thread's network namespace.
  explicit Netlink(int bus);

  // Sends `request`, whose flags and sequence number are set here, and hands each answer on until
  // the kernel says that it is done. Returns the kernel's error number, 0: none; EINTR: what is
  // listed changed meanwhile (NLM_F_DUMP_INTR); ENOBUFS: an answer found no room. After an error
  // the rest of the answer may still come, so ask again on a new Netlink (ask_until_whole). Throws
  // std::system_error if the conversation itself fails.
  int ask(nlmsghdr* request, std::uint16_t flags,
          const std::function<void(const nlmsghdr*)>& answer = {});

 private:
  struct Close {
    void operator()(mnl_socket* socket) const;
  };
  std::unique_ptr<mnl_socket, Close> socket_;
  std::uint32_t sequence_ = 0, port_ = 0;
};

// Calls `dump`, which makes a Netlink, asks and returns ask()'s error number, until that is neither
// EINTR nor ENOBUFS, a few times at most; returns the last.
int ask_until_whole(const std::function<int()>& dump);

// Room for one request of ours.
using NetlinkBuffer = std::array<char, 1024>;

// The octets of an address as netlink wants them: 4 or 16.
[[nodiscard]] Bytes family_octets(const Address& address);
[[nodiscard]] std::uint8_t family(const Address& address);  // AF_INET or AF_INET6.

}  // namespace estab::host
