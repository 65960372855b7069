// SPDX-License-Identifier: Apache-2.0
#include "estab/cli/demo_witness.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_to.hpp>
#include <cerrno>
#include <sstream>
#include <system_error>

#include "estab/admin/document.hpp"
#include "estab/cli/commands.hpp"
#include "estab/cli/demo_peer.hpp"
#include "estab/cli/demo_process.hpp"
#include "estab/cli/ss_table.hpp"

namespace estab::cli::demo {
namespace {

namespace json = boost::json;

std::filesystem::path fresh_folder() {
  auto name = (std::filesystem::temp_directory_path() / "estab-demo-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr)
    throw std::system_error(errno, std::generic_category(), "cannot make a folder " + name);
  return name;
}

std::string document(const Snapshot& snapshot) {
  return json::serialize(document_of(snapshot)) + "\n";
}

// "10.77.0.1:80", as ss has it.
bool is(const json::value& end, const Endpoint& endpoint) {
  return json::value_to<std::string>(end.at("address")) == endpoint.address.to_string() &&
         end.at("port").to_number<std::uint16_t>() == number(endpoint.port);
}

// The state in which `estab ss --json` shows the flow, as the RFC names it.
std::string state_in_json(const std::string& text, const Flow& flow) {
  const auto documents = json::parse(text);
  const auto& all = documents.at(0);
  const auto has = [&](const json::value& record) {
    return is(record.at("local"), flow.local) && is(record.at("remote"), flow.remote);
  };
  for (const auto& connection : all.at("connections").as_array())
    if (has(connection)) return json::value_to<std::string>(connection.at("state"));
  for (const auto& record : all.at("half_open").as_array())
    if (has(record)) return std::string(name(State::syn_received));
  for (const auto& record : all.at("time_wait").as_array())
    if (has(record)) return std::string(name(State::time_wait));
  for (const auto& listener : all.at("listeners").as_array())
    if (is(listener.at("local"), flow.local)) return std::string(name(State::listen));
  return std::string(name(State::closed));
}

// The state in which `ss -tan` shows the flow, as ss names it.
std::string state_in_table(const std::string& text, const Flow& flow) {
  std::string found = ss_state(name(State::closed));
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream columns(line);
    std::string state, queue, local, remote;
    columns >> state >> queue >> queue >> local >> remote;
    if (local != flow.local.to_string()) continue;
    if (remote == flow.remote.to_string()) return state;
    if (state == "LISTEN") found = state;
  }
  return found;
}

void compare(std::string_view tool, std::string_view expected, std::string_view found) {
  if (expected != found)
    throw Failure(fmt::format("{} should show {}, and shows {}", tool, expected, found));
}

}  // namespace

json::object document_of(const Snapshot& snapshot) {
  return admin::to_json({.pid = ::getpid(),
                         .service = "demo",
                         .device = "estab0",
                         .addresses = {our_address.to_string()}},
                        snapshot);
}

Witness::Witness()
    : folder_(fresh_folder()), executable_(std::filesystem::read_symlink("/proc/self/exe")) {}

Witness::~Witness() {
  ours_.reset(), theirs_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void Witness::watch(std::function<Snapshot()> ours, std::function<Snapshot()> theirs) {
  ours_.reset(), theirs_.reset();
  const auto serve = [&](std::optional<admin::Server>& server, const char* name, auto snapshots) {
    std::filesystem::create_directory(folder_ / name);
    server.emplace(io_.get_executor(), folder_ / name / "estab",
                   [snapshots] { return document(snapshots()); });
  };
  serve(ours_, "ours", std::move(ours));
  if (theirs) serve(theirs_, "theirs", std::move(theirs));
}

void Witness::check(const Flow& flow, State ours, State theirs) {
  ++checks_;
  compare("estab ss --json", name(ours), state_in_json(estab_ss(folder_ / "ours"), flow));
  const auto theirs_flow = flow.reversed();
  if (theirs_)
    compare("estab ss --json (the second)", name(theirs),
            state_in_json(estab_ss(folder_ / "theirs"), theirs_flow));
  else
    compare("ss -tan", ss_state(name(theirs)),
            state_in_table(output_of({"ss", "-tanH"}), theirs_flow));
}

std::string Witness::estab_ss(const std::filesystem::path& folder) {
  return output_of(
      {"env", "XDG_RUNTIME_DIR=" + folder.string(), executable_.string(), "ss", "--json"},
      [this] { io_.restart(), io_.poll(); });
}

}  // namespace estab::cli::demo
