// SPDX-License-Identifier: Apache-2.0
// estab_raw_count INTERFACE ADDRESS: counts the TCP data segments that ADDRESS sends, as they pass
// on the interface, until SIGINT or SIGTERM, and prints one line:
//   segments=N full=N largest=N missed=N
// A segment is full where payload and TCP options together are the MSS that the other end announced
// (RFC 6691). A GSO packet counts as the segments that the kernel will cut it into.
#include <poll.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <exception>
#include <map>

#include "device.hpp"
#include "segment.hpp"

namespace estab::raw {
namespace {

volatile std::sig_atomic_t ended = 0;

class Counter {
 public:
  explicit Counter(const Address& of) : of_(of) {}
  void count(const Sniffer::Packet& packet) {
    const auto s = from_datagram(packet.datagram);
    if (!s) return;
    if (s->from.address != of_) {
      if (s->has(syn)) mss_[s->from] = s->mss.value_or(536);
      return;
    }
    if (s->text.empty()) return;
    const auto known = mss_.find(s->to);
    const std::size_t mss = known == mss_.end() ? 0 : known->second;
    const std::size_t each = packet.segment_size == 0 ? s->text.size() : packet.segment_size;
    for (std::size_t left = s->text.size(); left > 0;) {
      const auto text = std::min(each, left);
      left -= text;
      ++segments_;
      full_ += text + s->option_bytes == mss ? 1 : 0;
      const auto ip = s->from.address.is_v4() ? 20 : 40;
      largest_ = std::max(largest_, ip + 20 + s->option_bytes + text);
    }
  }
  void print(std::uint64_t missed) const {
    std::printf("segments=%zu full=%zu largest=%zu missed=%zu\n", segments_, full_, largest_,
                std::size_t(missed));
  }

 private:
  Address of_;
  std::map<Endpoint, std::uint16_t> mss_;              // By who announced it.
  std::size_t segments_ = 0, full_ = 0, largest_ = 0;  // The last in bytes of a datagram.
};

int run(int argc, char** argv) {
  const auto address = argc == 3 ? Address::parse(argv[2]) : std::nullopt;
  if (!address) return std::fputs("estab_raw_count INTERFACE ADDRESS\n", stderr), 2;
  Sniffer sniffer(argv[1]);
  for (const int signal : {SIGINT, SIGTERM}) std::signal(signal, [](int) { ended = 1; });
  std::puts("counting");
  std::fflush(stdout);
  Counter counter(*address);
  Sniffer::Packet packet;
  while (ended == 0) {
    pollfd wait{.fd = sniffer.descriptor(), .events = POLLIN, .revents = 0};
    ::poll(&wait, 1, 100);
    while (sniffer.next(packet)) counter.count(packet);
  }
  counter.print(sniffer.missed());
  return 0;
}

}  // namespace
}  // namespace estab::raw

int main(int argc, char** argv) {
  try {
    return estab::raw::run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "estab_raw_count: %s\n", error.what());
    return 1;
  }
}
