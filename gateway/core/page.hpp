#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "gateway/core/http/request.hpp"

namespace eole::gateway {

/// "index.html", "page.js" … if the request is for the page: for one of its files, for "/", or for
/// another screen's path by who names text/html among what he accepts, as a browser does where a
/// program does not.
std::optional<std::string_view> page_file_for(const http::Request& request);

/// By somebody who looks with a browser.
bool is_for_eyes(const http::Request& request);

/// The forms that a file is kept in.
enum class Coding : std::uint8_t { kPlain, kGzip, kBrotli };

/// The smallest form that the client takes (RFC 9110, section 12.5.3).
Coding coding_for(const http::Request& request);

/// Is the client's own copy, by its If-None-Match, the one with this entity tag?
bool has_copy(const http::Request& request, std::string_view etag);

/// What goes with every answer of the page: nothing but this server's is loaded or run, and nobody
/// frames it, guesses its type or learns from where one left.
void add_page_rules(http::Response& response);

}  // namespace eole::gateway
