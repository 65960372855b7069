// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <boost/asio/io_context.hpp>
#include <boost/json/object.hpp>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "estab/admin/server.hpp"
#include "estab/base/address.hpp"
#include "estab/event/snapshot.hpp"

namespace estab::cli::demo {

// What `estab ss` is told of one of the demo's stacks.
[[nodiscard]] boost::json::object document_of(const Snapshot& snapshot);

// Asks the tools that a user has, as sub-processes: `ss -tan` for the kernel's end, `estab ss
// --json`, by way of a control socket in a folder of its own, for an end of ours.
class Witness {
 public:
  Witness();
  ~Witness();
  Witness(Witness&&) = delete;

  // What is to be shown of our end, and of the peer's; none: it is the kernel's, in this network
  // namespace.
  void watch(std::function<Snapshot()> ours, std::function<Snapshot()> theirs);
  // Throws Failure, naming the tool, where one does not see the flow, as we have it, in that state.
  void check(const Flow& flow, State ours, State theirs);
  [[nodiscard]] std::size_t checks() const { return checks_; }

 private:
  [[nodiscard]] std::string estab_ss(const std::filesystem::path& folder);

  boost::asio::io_context io_;
  std::filesystem::path folder_, executable_;
  std::optional<admin::Server> ours_, theirs_;
  std::size_t checks_ = 0;
};

}  // namespace estab::cli::demo
