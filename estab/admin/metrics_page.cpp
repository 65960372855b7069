// SPDX-License-Identifier: Apache-2.0
#include "estab/admin/metrics_page.hpp"

#include <algorithm>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/field.hpp>
#include <charconv>
#include <ranges>

namespace estab::admin {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;

constexpr std::string_view path = "/metrics";

std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// Calls f for each part between the separators, without the space around it.
template <class F>
void for_each_part(std::string_view text, char separator, F&& f) {
  for (const auto part : std::views::split(text, separator))
    f(trim(std::string_view(part.begin(), part.end())));
}

// Of a media range: the "type/subtype", and its weight, 1 unless told.
struct MediaRange {
  beast::string_view type;
  double weight = 1;
};
MediaRange parse_range(std::string_view text) {
  MediaRange range;
  for_each_part(text, ';', [&](std::string_view part) {
    if (range.type.empty()) range.type = {part.data(), part.size()};
    else if (part.starts_with("q=") || part.starts_with("Q="))
      std::from_chars(part.data() + 2, part.data() + part.size(), range.weight);
  });
  return range;
}

// How much a media type is wanted: the range that names it best decides.
struct Wish {
  int precision = -1;
  double weight = 0;

  void hear(int precise, double how_much) {
    if (precise > precision) *this = {precise, how_much};
    else if (precise == precision) weight = std::max(weight, how_much);
  }
};

// The path of "/metrics?name=value", also of "http://host/metrics".
std::string_view path_of(std::string_view target) {
  if (const auto scheme = target.find("://"); !target.starts_with('/') && scheme != target.npos) {
    const auto slash = target.find('/', scheme + 3);
    target.remove_prefix(std::min(slash, target.size()));
  }
  return target.substr(0, target.find_first_of("?#"));
}

MetricsResponse make(http::status status, unsigned version, std::string_view type,
                     std::string text) {
  MetricsResponse response{status, version};
  response.set(http::field::content_type, {type.data(), type.size()});
  response.set(http::field::cache_control, "no-store");
  response.keep_alive(false);
  response.body() = std::move(text);
  response.prepare_payload();
  return response;
}

MetricsResponse say(http::status status, unsigned version, std::string sentence) {
  return make(status, version, "text/plain; charset=utf-8", std::move(sentence) + '\n');
}

MetricsResponse answer(const MetricsRequest& request, const MetricsPage& page) {
  if (path_of(view(request.target())) != path)
    return say(http::status::not_found, request.version(), "The metrics are at /metrics.");
  if (request.method() != http::verb::get && request.method() != http::verb::head) {
    auto response =
        say(http::status::method_not_allowed, request.version(), "Only GET and HEAD are served.");
    response.set(http::field::allow, "GET, HEAD");
    return response;
  }
  const auto format = wanted_format(view(request[http::field::accept]));
  auto response = make(http::status::ok, request.version(), content_type(format), page(format));
  response.set(http::field::vary, "Accept");
  return response;
}

}  // namespace

MetricsFormat wanted_format(std::string_view accept) {
  Wish open_metrics, prometheus;
  for_each_part(accept, ',', [&](std::string_view text) {
    const auto [type, weight] = parse_range(text);
    const auto is = [&](const char* name) { return beast::iequals(type, name); };
    if (is("application/openmetrics-text")) open_metrics.hear(2, weight);
    if (is("application/*")) open_metrics.hear(1, weight);
    if (is("text/plain")) prometheus.hear(2, weight);
    if (is("text/*")) prometheus.hear(1, weight);
    if (is("*/*")) open_metrics.hear(0, weight), prometheus.hear(0, weight);
  });
  return prometheus.weight > open_metrics.weight ? MetricsFormat::prometheus
                                                 : MetricsFormat::open_metrics;
}

MetricsResponse respond(const MetricsRequest& request, const MetricsPage& page) {
  auto response = answer(request, page);
  if (request.method() == http::verb::head) response.body().clear();  // Its length stays.
  return response;
}

MetricsResponse respond_bad_request(bool too_large) {
  if (too_large)
    return say(http::status::request_header_fields_too_large, 11,
               "The request's header is too large.");
  return say(http::status::bad_request, 11, "This is no request of HTTP/1.");
}

}  // namespace estab::admin
