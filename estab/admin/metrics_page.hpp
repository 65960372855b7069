// SPDX-License-Identifier: Apache-2.0
// HTTP's side of the metrics: what answers a request.
#pragma once
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <functional>

#include "estab/admin/metrics.hpp"

namespace estab::admin {

using MetricsPage = std::function<std::string(MetricsFormat)>;
using MetricsRequest = boost::beast::http::request<boost::beast::http::empty_body>;
using MetricsResponse = boost::beast::http::response<boost::beast::http::string_body>;

// What an Accept header asks for (RFC 9110 §12.5.1); OpenMetrics where it does not care.
[[nodiscard]] MetricsFormat wanted_format(std::string_view accept);

// The page for GET and HEAD of /metrics; 405 for its other methods, 404 elsewhere. The connection
// ends after it.
[[nodiscard]] MetricsResponse respond(const MetricsRequest& request, const MetricsPage& page);
// To what could not be read as a request.
[[nodiscard]] MetricsResponse respond_bad_request(bool too_large);

}  // namespace estab::admin
