// SPDX-License-Identifier: Apache-2.0
// estab connect ADDRESS PORT: standard input and output over a connection.
#include <fmt/core.h>
#include <unistd.h>

#include <CLI/Option.hpp>
#include <CLI/Validators.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>

#include "estab/cli/commands.hpp"
#include "estab/cli/file_stream.hpp"
#include "estab/cli/session.hpp"
#include "estab/net/socket.hpp"

namespace estab::cli {
namespace asio = boost::asio;
namespace {

using asio::redirect_error;
using asio::use_awaitable;
using boost::system::error_code;
using boost::system::system_error;
using namespace asio::experimental::awaitable_operators;

constexpr std::size_t buffer_size = 1 << 18;
constexpr auto close_patience = 5s;  // After an interruption.

struct ConnectCommand {
  NetworkOptions network;
  std::string address;
  std::uint16_t port = 0;
  unsigned timeout = 0;  // Seconds; 0: as patient as the stack.
};

std::string_view advice_on(const error_code& error) {
  if (error == asio::error::connection_refused)
    return "Nobody listens there: check the port, or start the server.";
  if (error == asio::error::timed_out)
    return "No answer came: check the address, and that the peer is still there.";
  if (error == asio::error::network_unreachable || error == asio::error::host_unreachable)
    return "No way leads there: give estab an --address in a network that does.";
  if (error == asio::error::connection_reset || error == asio::error::broken_pipe)
    return "The peer ended the connection before all had passed.";
  if (error == asio::error::invalid_argument)
    return "Name another host than estab itself, and no broadcast or multicast address.";
  return "The connection is gone.";
}

class Conversation {
 public:
  Conversation(const ConnectCommand& command, Session& session)
      : peer_(net::from_address(*Address::parse(command.address)), command.port),
        session_(session),
        socket_(session.host()) {}

  asio::awaitable<void> run() {
    const auto first = co_await (converse_to_an_end() || session_.interrupted());
    if (first.index() == 0) {
      if (auto why = std::get<0>(first)) std::rethrow_exception(why);
      co_return;
    }
    error_code ignored;
    co_await socket_.async_close(close_patience, redirect_error(use_awaitable, ignored));
    throw Failure("interrupted; the connection has been closed");
  }

 private:
  // What went wrong, if anything. A throw would not do: `||` waits for one success.
  asio::awaitable<std::exception_ptr> converse_to_an_end() {
    try {
      co_await noting(converse());
    } catch (...) {
      // It was noted, or is what followed from it.
    }
    co_return failure_;
  }
  // Notes the first thing that is thrown: when one direction fails, `&&` cancels the other.
  asio::awaitable<void> noting(asio::awaitable<void> part) {
    try {
      co_await std::move(part);
    } catch (...) {
      if (!failure_) failure_ = std::current_exception();
      throw;
    }
  }

  asio::awaitable<void> converse() {
    error_code error;
    co_await socket_.async_connect(peer_, redirect_error(use_awaitable, error));
    check("cannot connect to", error);
    co_await (noting(send_input()) && noting(print_output()));
    // What was written last is the peer's only when it has said so.
    co_await socket_.async_close(std::chrono::hours(1), redirect_error(use_awaitable, error));
    check("cannot finish with", error);
  }

  asio::awaitable<void> send_input() {
    FileStream input(session_.context().get_executor(), STDIN_FILENO);
    const auto buffer = std::make_unique_for_overwrite<char[]>(buffer_size);
    error_code error;
    for (;;) {
      const auto size = co_await read(input, asio::buffer(buffer.get(), buffer_size));
      if (size == 0) break;
      co_await asio::async_write(socket_, asio::buffer(buffer.get(), size),
                                 redirect_error(use_awaitable, error));
      if (error) co_return stop_sending(error);
    }
    socket_.shutdown(net::socket::shutdown_send, error);
    if (error) stop_sending(error);
  }

  // The peer may have answered before it ended the connection. To throw would end print_output():
  // that goes on to the end of what has arrived.
  void stop_sending(const error_code& error) {
    try {
      check("cannot send to", error);
    } catch (const Failure&) {
      if (!failure_) failure_ = std::current_exception();
    }
  }

  asio::awaitable<void> print_output() {
    FileStream output(session_.context().get_executor(), STDOUT_FILENO);
    const auto buffer = std::make_unique_for_overwrite<char[]>(buffer_size);
    for (;;) {
      error_code error;
      const auto size = co_await socket_.async_read_some(asio::buffer(buffer.get(), buffer_size),
                                                         redirect_error(use_awaitable, error));
      if (error == asio::error::eof) co_return;
      check("cannot receive from", error);
      co_await write(output, asio::buffer(buffer.get(), size));
    }
  }

  asio::awaitable<std::size_t> read(FileStream& input, asio::mutable_buffer into) {
    try {
      co_return co_await input.read_some(into);
    } catch (const system_error& error) {
      if (error.code() == asio::error::operation_aborted) throw;
      throw Failure("cannot read standard input: " + error.code().message());
    }
  }
  asio::awaitable<void> write(FileStream& output, asio::const_buffer from) {
    try {
      co_await output.write(from);
    } catch (const system_error& error) {
      if (error.code() == asio::error::operation_aborted) throw;
      throw Failure("cannot write standard output: " + error.code().message() +
                    "\nThe connection has been reset.");
    }
  }

  void check(std::string_view doing, const error_code& error) const {
    if (!error) return;
    if (error == asio::error::operation_aborted) throw system_error(error);
    throw Failure(fmt::format("{} {}: {}\n{}", doing, net::to_core(peer_).to_string(),
                              error.message(), advice_on(error)));
  }

  net::endpoint peer_;
  Session& session_;
  net::socket socket_;
  std::exception_ptr failure_;
};

StackConfig stack_config(const ConnectCommand& command) {
  StackConfig config;
  if (command.timeout == 0) return config;
  const Milliseconds limit{command.timeout * 1000};
  config.tcp.syn_timeout = limit;
  config.tcp.defaults.user_timeout = limit;
  config.tcp.defaults.keep_alive = true;  // A peer that vanishes is noticed while all is quiet.
  config.tcp.defaults.keep_alive_idle = limit;
  config.tcp.defaults.keep_alive_interval = 1s;
  config.tcp.defaults.keep_alive_probes = 3;
  return config;
}

void run_connect(const ConnectCommand& command) {
  Session session(command.network, stack_config(command),
                  fmt::format("connect {} {}", command.address, command.port),
                  LadderTo::standard_error);
  Conversation conversation(command, session);
  session.run(conversation.run());
}

const CLI::Validator is_address(
    [](const std::string& text) -> std::string {
      if (Address::parse(text)) return {};
      return "'" + text + "' is no IPv4 or IPv6 address; such are 10.77.0.1 and fd00:77::1";
    },
    "", "address");

}  // namespace

void add_connect(CLI::App& app) {
  auto* command =
      app.add_subcommand("connect", "Carry standard input and output over a connection");
  auto options = std::make_shared<ConnectCommand>();
  command->add_option("ADDRESS", options->address, "The peer's IPv4 or IPv6 address")
      ->required()
      ->check(is_address)
      ->type_name("");
  command->add_option("PORT", options->port, "The peer's port, 1 to 65535")
      ->required()
      ->check(CLI::Range(1, 65535).description(""))
      ->type_name("");
  command
      ->add_option("--timeout", options->timeout,
                   "Give up when the peer has not answered for so\nlong")
      ->type_name("SECONDS")
      ->check(CLI::Range(1u, 4'000'000u).description(""));
  add_network_options(*command, options->network);
  command->footer(
      "The end of the input closes our direction; what the peer still sends is printed until it\n"
      "closes too (as nc -N does). Exit code 0: all was delivered both ways.\n\n"
      "Examples (as root):\n"
      "  estab connect 10.77.0.1 7000 < file            nc -l 7000 > copy takes it\n"
      "  printf 'GET / HTTP/1.0\\r\\n\\r\\n' | estab connect fd00:77::1 80\n"
      "  echo hello | estab connect 10.77.0.1 7000 --ladder --capture hello.pcapng\n"
      "  estab connect 10.77.0.1 7000 --impair loss=1%,reorder=5% < file");
  command->callback([options] { run_connect(*options); });
}

}  // namespace estab::cli
