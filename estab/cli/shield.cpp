// SPDX-License-Identifier: Apache-2.0
// estab shield: stands in front of a server, so that a SYN flood does not reach it.
#include <fmt/format.h>
#include <sys/resource.h>

#include <CLI/Option.hpp>
#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fstream>
#include <iostream>

#include "estab/cli/commands.hpp"
#include "estab/cli/option_values.hpp"
#include "estab/cli/shield_keys.hpp"
#include "estab/cli/shield_server.hpp"

namespace estab::cli {
namespace asio = boost::asio;
namespace {

constexpr std::uint32_t other_descriptors = 64;     // Beside one a connection.
constexpr std::uint32_t buffer_octets = 512 << 10;  // Of a client's connection, each way.
constexpr Duration clock_check = 10s;

struct ShieldCommand {
  NetworkOptions network;
  ShieldSettings settings;
  ShieldLimits limits;
  std::string keys_file, limits_file;
  bool make_keys = false;
};

void check_ends(const ShieldCommand& command) {
  const auto& [listen, to] = std::tie(command.settings.listen, command.settings.to);
  if (listen.empty() || to == Endpoint{})
    throw UsageError("shield what? Give --listen ADDRESS:PORT and --to ADDRESS:PORT");
  for (const auto& end : listen) {
    if (end.address.is_unspecified() || end.address.is_multicast())
      throw UsageError("--listen: " + end.to_string() +
                       " is no host's address; give the one that clients use");
    if (end == to)
      throw UsageError("--to: " + to.to_string() +
                       " is what --listen names; give the server's own address");
  }
  if (command.limits.max_connections == 0)
    throw UsageError("--max-connections: with 0 nobody gets in; give 1 or more");
  if (to.address.is_multicast() || to.address.is_unspecified())
    throw UsageError("--to: " + to.to_string() + " is no host's address; give the server's");
}

// Each connection takes a descriptor of the kernel's. False: so many may not be.
bool allow_descriptors(std::uint32_t connections) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const rlim_t needed = rlim_t{connections} + other_descriptors;
  if (limit.rlim_cur >= needed) return true;
  limit.rlim_cur = needed;
  return limit.rlim_max >= needed && ::setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

ShieldLimits limits_of(const ShieldCommand& command) {
  const auto limits = command.limits_file.empty()
                          ? command.limits
                          : read_limits(command.limits_file, command.limits);
  if (!allow_descriptors(limits.max_connections))
    throw Failure(
        fmt::format("{} connections need {} file descriptors, which this process may not have\n"
                    "Allow more (ulimit -n, LimitNOFILE=), or give a smaller max-connections.",
                    limits.max_connections, limits.max_connections + other_descriptors));
  return limits;
}

ShieldKeys keys_of(const ShieldCommand& command) {
  auto keys = read_keys(command.keys_file);
  if (is_readable_by_others(command.keys_file))
    fmt::print(stderr, "estab: anybody can read {}; chmod 600 makes it a secret\n",
               command.keys_file);
  return keys;
}

// Each address to listen on is routed to the device by itself, even where it is in a network of an
// --address: of an interface that comes up again the kernel has forgotten the IPv6 networks.
NetworkOptions network_of_shield(const ShieldCommand& command) {
  auto network = command.network;
  for (const auto& [address, port] : command.settings.listen) {
    const auto text = address.to_string() + (address.is_v4() ? "/32" : "/128");
    if (std::ranges::find(network.routed, text) == network.routed.end())
      network.routed.push_back(text);
  }
  return network;
}

StackConfig stack_of(const ShieldCommand& command) {
  StackConfig stack;
  stack.tcp.shared_cookies = !command.keys_file.empty();
  stack.tcp.defaults.nagle = false;  // What the server or client writes is passed on as it comes.
  stack.tcp.quick_acks = 0;          // The server's answer acknowledges the request.
  apply(command.settings.server, stack);
  stack.tcp.defaults.send_buffer = stack.tcp.defaults.receive_buffer = buffer_octets;
  return stack;
}

std::string words_of(const ShieldCommand& command) {
  std::string words = "shield";
  for (const auto& end : command.settings.listen) words += " --listen " + end.to_string();
  return words + " --to " + command.settings.to.to_string();
}

bool is_off(const char* path) {
  std::ifstream setting(path);
  int value = 1;
  return setting >> value && value == 0;
}

// Clients elsewhere come through the kernel, which passes nothing on unless it is told to.
void note_forwarding(const ShieldSettings& settings) {
  const auto note = [&](bool v4, const char* path, std::string_view name) {
    for (const auto& end : settings.listen)
      if (end.address.is_v4() == v4 && is_off(path))
        return fmt::print(stderr,
                          "estab: {0} is 0: only this machine reaches {1} (sysctl -w {0}=1 lets "
                          "others)\n",
                          name, end.to_string());
  };
  note(true, "/proc/sys/net/ipv4/ip_forward", "net.ipv4.ip_forward");
  note(false, "/proc/sys/net/ipv6/conf/all/forwarding", "net.ipv6.conf.all.forwarding");
}

class ShieldRun {
 public:
  explicit ShieldRun(const ShieldCommand& command)
      : command_(command),
        limits_(limits_of(command)),
        keys_(command.keys_file.empty() ? std::nullopt : std::optional{keys_of(command)}),
        session_(network_of_shield(command), stack_of(command), words_of(command),
                 LadderTo::standard_output),
        server_(std::make_shared<ShieldServer>(session_, command.settings, limits_)) {}

  void run() {
    session_.on_hangup([this] { reload(); });
    if (keys_) {
      set_keys();
      asio::co_spawn(session_.context(), follow_the_clock(), asio::detached);
    }
    note_forwarding(command_.settings);
    for (const auto& end : command_.settings.listen)
      fmt::print("{} -> {}\n", end.to_string(), command_.settings.to.to_string());
    fmt::print("on the device {}; Ctrl-C ends it\n", command_.network.device);
    std::fflush(stdout);
    session_.run(serve());
  }

 private:
  asio::awaitable<void> serve() {
    const auto server = server_;
    co_await server->run();
  }

  void set_keys() { session_.host().set_cookie_keys(keys_->current, keys_->previous); }
  // Other hosts know our cookies by the wall's time, which may be set while we run.
  asio::awaitable<void> follow_the_clock() {
    asio::steady_timer timer(session_.context());
    for (;;) {
      timer.expires_after(clock_check);
      co_await timer.async_wait(asio::use_awaitable);
      set_keys();
    }
  }

  void reload() {
    if (command_.keys_file.empty() && command_.limits_file.empty())
      fmt::print(stderr, "estab: SIGHUP reads --keys and --limits again; neither was given\n");
    if (!command_.keys_file.empty())
      reload_file(command_.keys_file, "keys", [this] {
        keys_ = keys_of(command_);
        set_keys();
      });
    if (!command_.limits_file.empty())
      reload_file(command_.limits_file, "limits",
                  [this] { server_->set_limits(limits_of(command_)); });
  }
  template <class Read>
  void reload_file(const std::string& path, std::string_view what, Read read) {
    try {
      read();
      fmt::print(stderr, "estab: the {} of {} are in force\n", what, path);
    } catch (const Failure& wrong) {
      fmt::print(stderr, "estab: {}\nestab: the old {} stay in force\n", wrong.what(), what);
    }
  }

  const ShieldCommand& command_;
  ShieldLimits limits_;
  std::optional<ShieldKeys> keys_;
  Session session_;
  std::shared_ptr<ShieldServer> server_;
};

void run_shield(const ShieldCommand& command) {
  if (command.make_keys) {
    std::cout << make_keys();
    return;
  }
  check_ends(command);
  ShieldRun(command).run();
}

void add_ends(CLI::App& command, ShieldCommand& options) {
  command
      .add_option_function<std::vector<std::string>>(
          "--listen",
          [&options](const std::vector<std::string>& texts) {
            for (const auto& text : texts) options.settings.listen.push_back(*parse_endpoint(text));
          },
          "Where clients connect (repeatable); the address\nis routed to the device")
      ->type_name("ADDRESS:PORT")
      ->check(is_endpoint)
      ->allow_extra_args(false);
  command
      .add_option_function<std::string>(
          "--to",
          [&options](const std::string& text) { options.settings.to = *parse_endpoint(text); },
          "The real server, reached through the kernel")
      ->type_name("ADDRESS:PORT")
      ->check(is_endpoint);
  command.add_flag("--proxy-protocol", options.settings.proxy_protocol,
                   "Tell the server its client's address, by the\nPROXY protocol, version 2");
}

void add_times(CLI::App& command, ShieldSettings& settings) {
  const auto add = [&](const char* name, Duration& into, const char* what) {
    command
        .add_option_function<std::string>(
            name, [&into](const std::string& text) { into = *parse_duration(text); }, what)
        ->type_name("TIME")
        ->check(is_duration);
  };
  add("--connect-timeout", settings.connect_timeout,
      "Give the server so long to answer (default 5s)");
  add("--drain", settings.drain, "Give connections so long to finish at the end\n(default 10s)");
}

void add_limits(CLI::App& command, ShieldCommand& options) {
  const auto group = "Limits (whoever is over one is reset)";
  const auto add = [&](const char* name, std::uint32_t& into, const char* type, auto parse,
                       const CLI::Validator& check, const char* what) {
    command
        .add_option_function<std::string>(
            name, [&into, parse](const std::string& text) { into = *parse(text); }, what)
        ->type_name(type)
        ->check(check)
        ->group(group);
  };
  auto& limits = options.limits;
  add("--max-connections", limits.max_connections, "N", parse_count, is_count,
      "Open at once (default 10000)");
  add("--per-prefix", limits.per_prefix, "N", parse_count, is_count,
      "Open at once from a /24, or a /56 of IPv6\n(default 0: any number)");
  add("--rate-per-prefix", limits.rate_per_prefix, "N/s", parse_rate, is_rate,
      "New ones a second from one (default 0/s: any)");
  command
      .add_option(
          "--limits", options.limits_file,
          "Lines of these names without --, and a value,\nas: per-prefix 100; read again at "
          "SIGHUP")
      ->type_name("FILE")
      ->group(group);
}

void add_keys(CLI::App& command, ShieldCommand& options) {
  const auto group = "Shared keys (of several shields behind one address)";
  command
      .add_option("--keys", options.keys_file,
                  "Keys of the SYN cookies: a line 'current\nHEX64', perhaps one 'previous HEX64'; "
                  "read\nagain at SIGHUP")
      ->type_name("FILE")
      ->group(group);
  command.add_flag("--make-keys", options.make_keys, "Print a new file of keys, and end")
      ->group(group);
}

}  // namespace

void add_shield(CLI::App& app) {
  auto* command = app.add_subcommand("shield", "Stand in front of a server under a SYN flood");
  auto options = std::make_shared<ShieldCommand>();
  add_ends(*command, *options);
  add_times(*command, options->settings);
  add_server_options(*command, options->settings.server,
                     {.idle = "Reset a connection that has moved nothing for\nso long (default 5m)",
                      .request = "Reset a connection in which neither side has\nsent a byte for so "
                                 "long (default 60s)"});
  add_limits(*command, *options);
  add_keys(*command, *options);
  add_network_options(*command, options->network);
  command->footer(
      "Completes handshakes on a TCP of its own, by SYN cookies under a flood, and only then\n"
      "opens a connection to the server. A half-close, a reset, and slowness of either side pass\n"
      "to the other. SIGTERM and Ctrl-C stop listening and drain. docs/shield.md tells more.\n\n"
      "Examples (as root):\n"
      "  estab shield --listen 10.77.0.2:80 --to 127.0.0.1:8080\n"
      "  estab shield --listen 192.0.2.10:443 --to 10.0.0.5:443 --proxy-protocol\n"
      "  estab shield --listen 192.0.2.10:80 --to 10.0.0.5:80 --per-prefix 100 "
      "--rate-per-prefix 50/s\n"
      "  (umask 077; estab shield --make-keys > shield.keys)");
  command->callback([options] { run_shield(*options); });
}

}  // namespace estab::cli
