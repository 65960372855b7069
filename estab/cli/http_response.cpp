// SPDX-License-Identifier: Apache-2.0
#include "estab/cli/http_response.hpp"

#include <fmt/format.h>

#include <boost/beast/http/field.hpp>
#include <boost/beast/http/serializer.hpp>
#include <boost/beast/http/write.hpp>
#include <charconv>
#include <sstream>

namespace estab::cli {
namespace {

namespace http = boost::beast::http;
using Header = http::response<http::empty_body>;

// "5" is 5; nothing else.
std::optional<std::uint64_t> number_in(std::string_view text) {
  std::uint64_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc{} || end != text.data() + text.size()) return {};
  return n;
}

HttpResponse finish(Header header, Content content, ByteRange part, bool with_body) {
  const auto length = content.size == 0 ? 0 : part.last - part.first + 1;
  header.set(http::field::server, "estab/" ESTAB_VERSION);
  header.set(http::field::content_type, {content.type.data(), content.type.size()});
  header.content_length(length);
  std::ostringstream text;
  text << header.base();
  return {.header = std::move(text).str(),
          .content = std::move(content),
          .offset = part.first,
          .length = with_body ? length : 0,
          .keep_alive = header.keep_alive()};
}

HttpResponse finish(Header header, Content content, bool with_body = true) {
  const ByteRange all{0, content.size - 1};
  return finish(std::move(header), std::move(content), all, with_body);
}

Content sentence(std::string text) {
  text += '\n';
  const auto size = text.size();
  return {.type = "text/plain; charset=utf-8", .size = size, .text = std::move(text)};
}

Header header_for(const HttpRequest& request, http::status status) {
  Header header{status, request.version()};
  // Text that follows the request's header is not read, so nothing can come after it.
  const auto length = request.find(http::field::content_length);
  const bool has_body = request.chunked() || (length != request.end() && length->value() != "0");
  header.keep_alive(request.keep_alive() && !has_body);
  return header;
}

HttpResponse refuse(const HttpRequest& request, ContentError why) {
  const bool with_body = request.method() != http::verb::head;
  switch (why) {
    case ContentError::malformed:
      return finish(header_for(request, http::status::bad_request),
                    sentence("The target is no path."), with_body);
    case ContentError::not_found:
      return finish(header_for(request, http::status::not_found),
                    sentence("There is no such file."), with_body);
    case ContentError::forbidden:
      return finish(header_for(request, http::status::forbidden),
                    sentence("This file is not served."), with_body);
    case ContentError::busy:
      return finish(header_for(request, http::status::service_unavailable),
                    sentence("Too many files are open; try again."), with_body);
    case ContentError::moved: {
      auto header = header_for(request, http::status::moved_permanently);
      // Relative to the last slash, so that the name of the host plays no part.
      std::string_view path(request.target().data(), request.target().size());
      path = path.substr(0, path.find_first_of("?#"));
      path.remove_prefix(path.rfind('/') + 1);
      header.set(http::field::location, std::string("./").append(path).append("/"));
      return finish(std::move(header), sentence("It is a folder."), with_body);
    }
  }
  std::unreachable();
}

}  // namespace

std::expected<ByteRange, RangeError> parse_range(std::string_view field, std::uint64_t size) {
  const std::unexpected none(RangeError::none_asked), past(RangeError::unsatisfiable);
  const auto dash = field.find('-');
  if (!field.starts_with("bytes=") || dash == field.npos) return none;
  const auto from = field.substr(6, dash - 6), to = field.substr(dash + 1);
  const auto first = number_in(from), last = number_in(to);
  if (from.empty() && last)  // The last so many octets.
    return *last == 0 || size == 0 ? std::expected<ByteRange, RangeError>(past)
                                   : ByteRange{size - std::min(*last, size), size - 1};
  if (!first || (!to.empty() && !last) || (last && *last < *first)) return none;
  if (*first >= size) return past;
  return ByteRange{*first, last ? std::min(*last, size - 1) : size - 1};
}

HttpResponse respond(const HttpRequest& request, const HttpFiles& files) {
  const bool is_head = request.method() == http::verb::head;
  if (!is_head && request.method() != http::verb::get) {
    auto header = header_for(request, http::status::method_not_allowed);
    header.set(http::field::allow, "GET, HEAD");
    return finish(std::move(header), sentence("Only GET and HEAD are served."));
  }
  const auto target = request.target();
  auto content = files.find({target.data(), target.size()});
  if (!content) return refuse(request, content.error());
  const auto field = request[http::field::range];
  const auto part = parse_range({field.data(), field.size()}, content->size);
  if (part && content->file) {
    auto header = header_for(request, http::status::partial_content);
    header.set(http::field::content_range,
               fmt::format("bytes {}-{}/{}", part->first, part->last, content->size));
    return finish(std::move(header), std::move(*content), *part, !is_head);
  }
  if (!part && part.error() == RangeError::unsatisfiable) {
    auto header = header_for(request, http::status::range_not_satisfiable);
    header.set(http::field::content_range, fmt::format("bytes */{}", content->size));
    return finish(std::move(header), sentence("The range lies past the end."), !is_head);
  }
  auto header = header_for(request, http::status::ok);
  if (content->file) header.set(http::field::accept_ranges, "bytes");
  return finish(std::move(header), std::move(*content), !is_head);
}

HttpResponse respond_bad_request(http::status why) {
  Header header{why, 11};
  header.keep_alive(false);
  const bool too_large = why == http::status::request_header_fields_too_large;
  return finish(std::move(header),
                sentence(too_large ? "The request's header is too large."
                         : why == http::status::request_timeout ? "The request took too long."
                                                                : "This is no request of HTTP/1."));
}

}  // namespace estab::cli
