#include "gateway/core/http/origin.hpp"

#include "common/base/text.hpp"
#include "gateway/core/http/problem.hpp"

namespace eole::gateway::http {

namespace {

// "127.0.0.1" of "127.0.0.1:8080"; nothing: there is none, or the port is none.
std::optional<std::string_view> host_of(std::string_view authority) {
  const auto end = authority.starts_with('[') ? authority.find(']') : authority.find(':');
  if (authority.starts_with('[') && end == std::string_view::npos) return {};
  const auto size = authority.starts_with('[') ? end + 1 : std::min(end, authority.size());
  const auto port = authority.substr(size);
  if (!port.empty() &&
      (port[0] != ':' || port.find_first_not_of("0123456789", 1) != std::string_view::npos))
    return {};
  return authority.substr(0, size);
}

bool is_own(std::string_view host) {
  if (host == "localhost" || host == "[::1]") return true;
  return host.starts_with("127.") &&
         host.find_first_not_of("0123456789.") == std::string_view::npos;
}

}  // namespace

void check_origin(const Request& request) {
  const auto written = request.field("host");
  const auto host = host_of(written);
  if (!written.empty() && (!host || !is_own(*host)))
    throw Problem(421,
                  text("Host: ", written, ": is not served here (localhost, 127.0.0.1 or [::1])"));
  const auto origin = request.field("origin");
  if (!origin.empty() && origin != text("http://", written))
    throw Problem(403, text("Origin: ", origin, ": pages of others may not ask here"));
}

}  // namespace eole::gateway::http
