// SPDX-License-Identifier: Apache-2.0
// estab serve: a server on a TCP and addresses of its own, beside the kernel's.
#include <fmt/format.h>
#include <sys/resource.h>

#include <CLI/Option.hpp>
#include <CLI/Validators.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "estab/cli/commands.hpp"
#include "estab/cli/services.hpp"
#include "estab/cli/session.hpp"
#include "estab/net/acceptor.hpp"

namespace estab::cli {
namespace asio = boost::asio;
namespace {

constexpr auto close_patience = 5s;

struct ServeCommand {
  NetworkOptions network;
  ServerOptions server{.idle = 75s};  // nginx's keepalive_timeout.
  std::string http;                   // A folder; empty: no HTTP.
  bool echo = false, discard = false;
  std::uint16_t port = 0;  // 0: each service's own.
};

// One port and what is done with its connections.
struct Service {
  std::string name;  // "http"
  std::uint16_t port;
  std::function<asio::awaitable<void>(Guest&)> serve;
};

// The command must outlive them.
std::vector<Service> services_of(const ServeCommand& command) {
  std::vector<Service> services;
  const auto port = [&](std::uint16_t usual) { return command.port != 0 ? command.port : usual; };
  if (!command.http.empty())
    services.push_back({"http", port(8080),
                        [&command, files = std::make_shared<HttpFiles>(command.http)](
                            Guest& guest) { return serve_http(guest, *files, command.server); }});
  const auto idle = command.server.idle;
  if (command.echo)
    services.push_back({"echo", port(7), [idle](Guest& guest) { return serve_echo(guest, idle); }});
  if (command.discard)
    services.push_back(
        {"discard", port(9), [idle](Guest& guest) { return serve_discard(guest, idle); }});
  if (services.empty()) throw UsageError("serve what? Give --http DIR, --echo or --discard");
  if (services.size() > 1 && command.port != 0)
    throw UsageError("--port is for one service; without it HTTP has 8080, echo 7, discard 9");
  return services;
}

std::string words_of(const ServeCommand& command) {
  std::string words = "serve";
  if (!command.http.empty()) words += " --http " + command.http;
  if (command.echo) words += " --echo";
  if (command.discard) words += " --discard";
  return words;
}

// How somebody on this machine reaches it.
void print_where(const ServeCommand& command, const std::vector<Service>& services) {
  for (const auto& service : services)
    for (const auto& text : command.network.addresses) {
      const Endpoint end{Prefix::parse(text)->address, Port{service.port}};
      const auto address = end.address.to_string();
      if (service.name == "http") fmt::print("http     curl http://{}/\n", end.to_string());
      else fmt::print("{:<8} nc {} {}\n", service.name, address, service.port);
    }
  if (!command.network.metrics.empty())
    fmt::print("metrics  curl http://{}/metrics\n", command.network.metrics);
  fmt::print("on the device {}; Ctrl-C ends it\n", command.network.device);
  std::fflush(stdout);
}

class ServerRun {
 public:
  ServerRun(Session& session, std::vector<Service> services)
      : session_(session),
        services_(std::move(services)),
        guests_(std::make_shared<Guests>(session.context())) {
    for (const auto& service : services_)
      acceptors_.emplace_back(session.host(), net::acceptor::endpoint_type{any, service.port},
                              ListenOptions{.backlog = 4096, .half_open_limit = 8192});
  }

  asio::awaitable<void> run() {
    for (std::size_t i = 0; i < services_.size(); ++i)
      asio::co_spawn(session_.context(), accept(acceptors_[i], services_[i]), asio::detached);
    co_await session_.interrupted();
    for (auto& acceptor : acceptors_) acceptor.close();
    guests_->tell_to_leave();
    if (const auto left = co_await session_.drained(close_patience); left > 0)
      fmt::print(stderr, "estab: {} connection{} did not finish in time and {} reset\n", left,
                 left == 1 ? "" : "s", left == 1 ? "is" : "are");
    if (const auto words = guests_->summary(); !words.empty())
      fmt::print(stderr, "estab: {}\n", words);
  }

 private:
  asio::awaitable<void> accept(net::acceptor& acceptor, const Service& service) {
    for (;;) {
      auto [error, socket] = co_await acceptor.async_accept(asio::as_tuple(asio::use_awaitable));
      if (error == asio::error::operation_aborted) co_return;
      if (error)
        co_return session_.fail("the device has failed: " + error.message() +
                                "\nStart estab again when it is there.");
      asio::co_spawn(session_.context(), serve(std::move(socket), service), asio::detached);
    }
  }
  asio::awaitable<void> serve(net::socket socket, const Service& service) {
    Guest guest(std::move(socket), guests_);
    co_await service.serve(guest);
  }

  Session& session_;
  std::vector<Service> services_;
  std::vector<net::acceptor> acceptors_;
  std::shared_ptr<Guests> guests_;
};

// A file that is sent takes a descriptor, however many clients it is sent to.
void allow_all_descriptors() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);  // Without it, clients are told to try again (503).
}

void run_serve(const ServeCommand& command) {
  const auto services = services_of(command);
  if (!command.http.empty()) allow_all_descriptors();
  StackConfig stack;
  apply(command.server, stack);
  Session session(command.network, stack, words_of(command), LadderTo::standard_output);
  ServerRun server(session, services);
  print_where(command, services);
  session.run(server.run());
}

}  // namespace

void add_serve(CLI::App& app) {
  auto* command = app.add_subcommand("serve", "Serve files over HTTP, echo, or discard");
  auto options = std::make_shared<ServeCommand>();
  command->add_option("--http", options->http, "Serve the files of a folder over HTTP/1.1")
      ->type_name("DIR")
      ->check(CLI::ExistingDirectory.description(""));
  command->add_flag("--echo", options->echo, "Send back what comes (RFC 862)");
  command->add_flag("--discard", options->discard, "Drop what comes (RFC 863)");
  command
      ->add_option("--port", options->port, "Listen there (default: HTTP 8080, echo 7,\ndiscard 9)")
      ->type_name("PORT")
      ->check(CLI::Range(1, 65535).description(""));
  add_server_options(
      *command, options->server,
      {.idle = "Close a connection that has waited for its next\nrequest, or of echo "
               "and discard for data, for so\nlong (default 75s)",
       .request = "Close a connection whose request has not come\nwhole within so long "
                  "(default 60s)"});
  add_network_options(*command, options->network);
  command->footer(
      "Makes a TUN device, whose one end is estab's and the other the kernel's, and listens on\n"
      "estab's addresses. Ctrl-C closes the connections properly and removes all that was made.\n\n"
      "Examples (as root):\n"
      "  estab serve --http .                          curl http://10.77.0.2:8080/ reads it\n"
      "  estab serve --echo --ladder                   nc 10.77.0.2 7\n"
      "  estab serve --http . --impair loss=1%,duplicate=1%,reorder=5% --capture http.pcapng\n"
      "  estab serve --http . --metrics 127.0.0.1:9077     Prometheus scrapes /metrics there\n"
      "  estab serve --discard --address 192.0.2.2/24 --device tun7 --mtu 9000");
  command->callback([options] { run_serve(*options); });
}

}  // namespace estab::cli
