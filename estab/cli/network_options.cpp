// SPDX-License-Identifier: Apache-2.0
#include "estab/cli/network_options.hpp"

#include <CLI/Option.hpp>
#include <CLI/Validators.hpp>

#include "estab/base/address.hpp"
#include "estab/cli/commands.hpp"
#include "estab/cli/option_values.hpp"

namespace estab::cli {
namespace {

const CLI::Validator is_prefix(
    [](const std::string& text) -> std::string {
      if (text.contains('/') && Prefix::parse(text)) return {};
      return "'" + text +
             "' is no address with its network's length; such are 10.77.0.2/24 and "
             "fd00:77::2/64";
    },
    "", "prefix");

const CLI::Validator is_device_name(
    [](const std::string& text) -> std::string {
      const bool fits = !text.empty() && text.size() <= 15 && text != "." && text != ".." &&
                        text.find_first_of("/: \t\n%") == text.npos;
      if (fits) return {};
      return "'" + text +
             "' is no name for a device: 1 to 15 characters, none of them / : % or a "
             "space";
    },
    "", "name");

}  // namespace

void add_network_options(CLI::App& command, NetworkOptions& options) {
  const auto group = "Network";
  command
      .add_option("--address", options.addresses,
                  "An address of estab's end (repeatable; default\n"
                  "10.77.0.2/24 and fd00:77::2/64)")
      ->type_name("ADDRESS/LENGTH")
      ->check(is_prefix)
      ->allow_extra_args(false)
      ->group(group);
  command
      .add_option("--peer-address", options.peer_addresses,
                  "An address of the kernel's end (default: the\n"
                  "first of each network)")
      ->type_name("ADDRESS/LENGTH")
      ->check(is_prefix)
      ->allow_extra_args(false)
      ->group(group);
  command
      .add_option("--device", options.device, "The TUN device, made for the time\n(default estab0)")
      ->type_name("NAME")
      ->check(is_device_name)
      ->group(group);
  command.add_option("--mtu", options.mtu, "Of the largest packet, 1280 to 65535\n(default 1500)")
      ->type_name("OCTETS")
      ->check(CLI::Range(1280u, 65535u).description(""))
      ->group(group);
  command
      .add_option_function<std::string>(
          "--impair",
          [&options](const std::string& text) {
            auto parsed = fault::parse_impairment(text);
            if (!parsed) throw CLI::ValidationError("--impair", parsed.error());
            options.impairment = *parsed;
          },
          "Harm what passes, both ways, as loss=1%,\nduplicate=1%,reorder=5%,corrupt=0.1%,\n"
          "delay=20ms,jitter=5ms,rate=10mbit,seed=7")
      ->type_name("HARM")
      ->group(group);
  command
      .add_option("--capture", options.capture,
                  "Write all packets to a pcapng file, each with\nits states and reason")
      ->type_name("FILE")
      ->group("Views");
  command
      .add_flag("--ladder", options.ladder,
                "Draw the packets as a ladder, live, with both\nends' states")
      ->group("Views");
  command
      .add_option("--metrics", options.metrics,
                  "Serve OpenMetrics over HTTP at /metrics there,\non the kernel's TCP")
      ->type_name("ADDRESS:PORT")
      ->check(is_endpoint)
      ->group("Views");
}

void check_addresses(const NetworkOptions& options) {
  for (const auto& text : options.addresses) {
    const auto ours = *Prefix::parse(text);
    const unsigned bits = ours.address.is_v4() ? 32 : 128;
    if (options.peer_addresses.empty() && ours.length + 1u >= bits)
      throw UsageError("--address: " + text +
                       " leaves no address for the kernel's end; give a "
                       "shorter length, as /24, or --peer-address too");
    for (const auto& peer : options.peer_addresses)
      if (Prefix::parse(peer)->address == ours.address)
        throw UsageError("--peer-address: " + peer + " is estab's own; give the kernel another");
  }
}

}  // namespace estab::cli
