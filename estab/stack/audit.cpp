// SPDX-License-Identifier: Apache-2.0
// The books against what is held: for tests. Not in the books: packets that wait for the device,
// and the tables that are taken once (the SYN cache, known networks, meters).
#include "estab/stack/impl.hpp"

namespace estab {
namespace {

std::string differs(const std::string& what, std::uint64_t books, std::uint64_t held) {
  if (books == held) return {};
  return what + ": " + std::to_string(books) + " bytes in the books, " + std::to_string(held) +
         " held; ";
}

}  // namespace

std::string Stack::Impl::audit() const {
  std::string wrong = differs("table", demux_bytes_, demux_.bytes());
  std::uint64_t held = demux_.bytes() + half_open.size() * SynCache::bytes_each +
                       time_wait_.size() * tcp::TimeWaitList::bytes_each;
  connections.for_each([&](auto, const tcp::Connection& c) {
    const std::size_t counted = c.count_true_size();
    held += counted;
    const std::string name = c.flow().local.to_string() + " - " + c.flow().remote.to_string();
    wrong += differs(name, c.charged(), counted);
  });
  listeners.for_each([&](auto, const Listener& listener) {
    held += listener.true_size();
    wrong += differs(listener.local.to_string(), listener.charged, listener.true_size());
  });
  return wrong + differs("all", memory.used(), held);
}

}  // namespace estab
