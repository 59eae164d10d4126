#pragma once
#include <cstdint>
#include <string>

namespace eole::gateway::http {

/// "Sun, 06 Nov 1994 08:49:37 GMT", as fields have a time (RFC 9110, section 5.6.7).
std::string http_date(std::int64_t unix_seconds);

}  // namespace eole::gateway::http
