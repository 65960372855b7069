// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <optional>

#include "estab/cli/http_files.hpp"

namespace estab::cli {

using HttpRequest = boost::beast::http::request<boost::beast::http::empty_body>;

// What is to be sent: a header as octets, then `length` octets of the content from `offset`.
struct HttpResponse {
  std::string header;
  Content content;
  std::uint64_t offset = 0, length = 0;
  bool keep_alive = false;
};

// Octets first..last of something; RFC 9110 §14.1.2.
struct ByteRange {
  std::uint64_t first = 0, last = 0;
  friend bool operator==(const ByteRange&, const ByteRange&) = default;
};
enum class RangeError : std::uint8_t {
  none_asked,     // No range, several, or not understood: all is sent.
  unsatisfiable,  // It begins past the end.
};
[[nodiscard]] std::expected<ByteRange, RangeError> parse_range(std::string_view field,
                                                               std::uint64_t size);

[[nodiscard]] HttpResponse respond(const HttpRequest& request, const HttpFiles& files);
// To what could not be read as a request, by the status that says why: bad_request,
// request_header_fields_too_large or request_timeout. The connection does not go on.
[[nodiscard]] HttpResponse respond_bad_request(boost::beast::http::status why);

}  // namespace estab::cli
