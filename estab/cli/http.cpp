// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <cerrno>

#include "estab/cli/http_response.hpp"
#include "estab/cli/services.hpp"

namespace estab::cli {
namespace asio = boost::asio;
namespace http = boost::beast::http;
namespace {

constexpr std::size_t largest_header = 16 << 10, largest_write = 1 << 18;  // Octets.
constexpr Duration request_patience = 60s;

class HttpSession {
 public:
  HttpSession(Guest& guest, const HttpFiles& files) : guest_(guest), files_(files) {}

  asio::awaitable<void> run() {
    for (bool more = true; more;) {
      auto response = co_await read_request();
      if (!response) break;  // The peer has ended, or is silent, or it is time to leave.
      more = response->keep_alive;
      if (!co_await write(*response)) co_return guest_.socket().abort();
    }
    co_await guest_.leave();
  }

 private:
  asio::awaitable<std::optional<HttpResponse>> read_request() {
    http::request_parser<http::empty_body> parser;
    parser.header_limit(largest_header);
    parser.body_limit(boost::none);  // Never read: see respond().
    net::error_code error;
    co_await guest_.listen(request_patience, error, [&](auto token) -> asio::awaitable<void> {
      co_await http::async_read_header(guest_.socket(), buffer_, parser, token);
    });
    if (error == http::error::header_limit || error == http::error::buffer_overflow)
      co_return respond_bad_request(true);
    if (error && error.category() == make_error_code(http::error::bad_method).category() &&
        error != http::error::end_of_stream && error != http::error::partial_message)
      co_return respond_bad_request(false);
    if (error) co_return std::nullopt;
    co_return respond(parser.get(), files_);
  }

  // False: the peer is gone, or the file is no longer what its header has promised.
  asio::awaitable<bool> write(const HttpResponse& response) {
    // Header and content go together as far as they can: small answers are one segment.
    const auto& text = response.content.text;
    std::string chunk = response.header;
    std::uint64_t done = 0;
    do {
      const auto size = std::min<std::uint64_t>(response.length - done, largest_write);
      if (response.content.file.get() < 0) {
        chunk.append(text, response.offset + done, size);
      } else if (!append(chunk, response, done, size)) {
        co_return false;
      }
      done += size;
      net::error_code error;
      co_await asio::async_write(guest_.socket(), asio::buffer(chunk),
                                 asio::redirect_error(asio::use_awaitable, error));
      if (error) co_return false;
      chunk.clear();
    } while (done < response.length);
    co_return true;
  }

  static bool append(std::string& chunk, const HttpResponse& response, std::uint64_t done,
                     std::size_t size) {
    const auto before = chunk.size();
    chunk.resize(before + size);
    for (std::size_t n = 0; n < size;) {
      const auto got = ::pread(response.content.file.get(), chunk.data() + before + n, size - n,
                               off_t(response.offset + done + n));
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return false;
      n += std::size_t(got);
    }
    return true;
  }

  Guest& guest_;
  const HttpFiles& files_;
  boost::beast::flat_buffer buffer_{largest_header + 4096};
};

}  // namespace

asio::awaitable<void> serve_http(Guest& guest, const HttpFiles& files) {
  HttpSession session(guest, files);
  co_await session.run();
}

}  // namespace estab::cli
