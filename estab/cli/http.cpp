// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <cerrno>
#include <span>

#include "estab/cli/http_response.hpp"
#include "estab/cli/services.hpp"
#include "estab/runtime/shard.hpp"

namespace estab::cli {
namespace asio = boost::asio;
namespace http = boost::beast::http;
namespace {

constexpr std::size_t largest_header = 16 << 10;  // Bytes of a request.
constexpr std::size_t held_while_waiting = 4096;  // Bytes of an answer.

// What is sent of an answer at once passes through here, whoever it is for.
thread_local std::array<char, 64 << 10> scratch;

// An answer as one run of bytes: its header, then its content.
class Outgoing {
 public:
  explicit Outgoing(const HttpResponse& response) : response_(response) {}
  [[nodiscard]] std::uint64_t size() const { return response_.header.size() + response_.length; }
  // Fills `out` with the bytes from `at` on, of which there must be as many. False: the file is
  // shorter than its header has promised, or cannot be read.
  [[nodiscard]] bool copy(std::span<char> out, std::uint64_t at) const {
    const auto& header = response_.header;
    if (at < header.size()) {
      const auto size = header.copy(out.data(), out.size(), std::size_t(at));
      out = out.subspan(size);
      at += size;
    }
    return out.empty() || copy_content(out, at - header.size() + response_.offset);
  }

 private:
  [[nodiscard]] bool copy_content(std::span<char> out, std::uint64_t at) const {
    const auto& content = response_.content;
    if (!content.file) return content.text.copy(out.data(), out.size(), at) == out.size();
    while (!out.empty()) {
      const auto got = ::pread(content.file->get(), out.data(), out.size(), off_t(at));
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return false;
      out = out.subspan(std::size_t(got));
      at += std::uint64_t(got);
    }
    return true;
  }

  const HttpResponse& response_;
};

bool is_malformed(const net::error_code& error) {
  return error && error.category() == make_error_code(http::error::bad_method).category() &&
         error != http::error::end_of_stream && error != http::error::partial_message;
}

class HttpSession {
 public:
  HttpSession(Guest& guest, const HttpFiles& files, const ServerOptions& options)
      : guest_(guest), files_(files), options_(options) {}

  asio::awaitable<void> run() {
    for (bool more = true; more;) {
      auto response = co_await read_request();
      if (!response) break;  // The peer has ended, or is silent, or it is time to leave.
      more = response->keep_alive;
      const bool whole = co_await write(*response);
      if (!whole) co_return guest_.socket().abort();
      is_first_ = false;
    }
    co_await guest_.leave();
  }

 private:
  asio::awaitable<std::optional<HttpResponse>> read_request() {
    net::error_code error;
    co_await wait_for_request(error);
    if (error) co_return std::nullopt;

    http::request_parser<http::empty_body> parser;
    parser.header_limit(largest_header);
    parser.body_limit(boost::none);  // Never read: see respond().
    const bool late =
        co_await guest_.listen(time_for_request(), error, [&](auto token) -> asio::awaitable<void> {
          co_await http::async_read_header(guest_.socket(), buffer_, parser, token);
        });
    if (error == http::error::header_limit || error == http::error::buffer_overflow)
      co_return respond_bad_request(http::status::request_header_fields_too_large);
    if (late) {
      guest_.note(Overdue::request);
      co_return respond_bad_request(http::status::request_timeout);
    }
    guest_.note_end(error);
    if (is_malformed(error)) co_return respond_bad_request(http::status::bad_request);
    if (error) co_return std::nullopt;
    co_return respond(parser.get(), files_);
  }

  // Until the first byte of a request is there. A connection that has never asked for anything may
  // take the time of a request; one that has may be kept for the time that it may be idle.
  asio::awaitable<void> wait_for_request(net::error_code& error) {
    if (buffer_.size() > 0) co_return;  // It came behind the one before.
    const auto patience = is_first_ ? options_.request : options_.idle;
    const bool late =
        co_await guest_.listen(patience, error, [&](auto token) -> asio::awaitable<void> {
          co_await guest_.socket().async_wait(net::socket::wait_read, token);
        });
    if (late) guest_.note(is_first_ ? Overdue::request : Overdue::idle);
  }

  // What is left of it; the first request's begins with the connection.
  [[nodiscard]] Duration time_for_request() const {
    if (options_.request == Duration{} || !is_first_) return options_.request;
    return std::max<Duration>(options_.request - (runtime::Shard::now() - opened_at_), 1ns);
  }

  // False: the peer is gone, or the file is no longer what its header has promised.
  asio::awaitable<bool> write(const HttpResponse& response) {
    const Outgoing out(response);
    std::array<char, held_while_waiting> held;
    for (std::uint64_t done = 0;;) {
      if (!write_at_once(out, done)) co_return false;
      if (done == out.size()) co_return true;
      const auto size = std::min<std::uint64_t>(out.size() - done, held.size());
      if (!out.copy(std::span(held).first(size), done)) co_return false;
      net::error_code error;
      done += co_await guest_.socket().async_write_some(
          asio::buffer(held, size), asio::redirect_error(asio::use_awaitable, error));
      guest_.note_end(error);
      if (error) co_return false;
    }
  }

  // What the socket takes without waiting. False: as of write().
  bool write_at_once(const Outgoing& out, std::uint64_t& done) {
    while (done < out.size()) {
      const auto size = std::min<std::uint64_t>(out.size() - done, scratch.size());
      if (!out.copy(std::span(scratch).first(size), done)) return false;
      net::error_code error;
      const auto taken = guest_.socket().write_some(asio::buffer(scratch, size), error);
      if (error == asio::error::would_block) return true;
      guest_.note_end(error);
      if (error) return false;
      done += taken;
    }
    return true;
  }

  Guest& guest_;
  const HttpFiles& files_;
  const ServerOptions& options_;
  boost::beast::flat_buffer buffer_{largest_header + 4096};
  Instant opened_at_ = runtime::Shard::now();
  bool is_first_ = true;
};

}  // namespace

asio::awaitable<void> serve_http(Guest& guest, const HttpFiles& files,
                                 const ServerOptions& options) {
  HttpSession session(guest, files, options);
  co_await session.run();
}

}  // namespace estab::cli
