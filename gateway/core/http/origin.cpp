#include "gateway/core/http/origin.hpp"

#include <algorithm>

#include "common/base/text.hpp"
#include "gateway/core/http/letters.hpp"
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

// "*.example.org" are the names that have one word more.
bool is_named(std::string_view host, std::string_view name) {
  if (!name.starts_with("*.")) return host == name;
  const auto dot = host.find('.');
  return dot != host.npos && dot > 0 && host.substr(dot) == name.substr(1);
}

bool is_at(std::string_view written, const Place& place) {
  const auto host = lower(written);
  if (place.is_local && is_own(host)) return true;
  const bool is_v6 = host.starts_with('[');
  const auto plain = is_v6 ? std::string_view(host).substr(1, host.size() - 2) : host;
  return std::any_of(place.hosts.begin(), place.hosts.end(),
                     [&](const auto& name) { return is_named(plain, name); });
}

std::string names_of(const Place& place) {
  std::string all = place.is_local ? "localhost, 127.0.0.1 or [::1]" : "";
  for (const auto& name : place.hosts) all += (all.empty() ? "" : ", ") + name;
  return all;
}

}  // namespace

bool check_origin(const Request& request, const Place& place) {
  const auto written = request.field("host");
  const auto host = host_of(written);
  if (!written.empty() && (!host || !is_at(*host, place)))
    throw Problem(421, text("Host: ", written, ": is not served here (", names_of(place), ")"));
  const auto origin = request.field("origin");
  if (origin.empty() || origin == text(place.is_secure ? "https://" : "http://", written))
    return false;
  if (!place.origin.empty() && origin == place.origin) return true;
  throw Problem(403, text("Origin: ", origin, ": pages of others may not ask here"));
}

void check_site(const Request& request) {
  const auto site = request.field("sec-fetch-site");
  if (!site.empty() && site != "same-origin" && site != "none")
    throw Problem(403, text("Sec-Fetch-Site: ", site, ": pages of others may not ask here"));
}

bool is_origin(std::string_view written) {
  const bool is_secure = written.starts_with("https://");
  if (!is_secure && !written.starts_with("http://")) return false;
  written.remove_prefix(is_secure ? 8 : 7);
  const auto host = host_of(written);
  if (!host || host->empty() || written.ends_with(is_secure ? ":443" : ":80")) return false;
  const auto* letters =
      host->starts_with('[') ? "[]:.0123456789abcdef" : "abcdefghijklmnopqrstuvwxyz0123456789.-_";
  return host->find_first_not_of(letters) == std::string_view::npos && !written.ends_with(':');
}

std::vector<Field> shared_with(const Place& place) {
  return {{"Access-Control-Allow-Origin", place.origin},
          {"Access-Control-Expose-Headers",
           "Allow, ETag, Location, Retry-After, X-Request-Id, Content-Disposition, Content-Range, "
           "Eole-Task, Eole-File-Name, Tus-Resumable, Tus-Version, Tus-Extension, Tus-Max-Size, "
           "Upload-Offset, Upload-Length, Upload-Expires, Upload-Metadata, Upload-Concat"},
          {"Vary", "Origin"}};
}

bool is_preflight(const Request& request) {
  return request.method == "OPTIONS" && !request.field("access-control-request-method").empty();
}

// What may be asked is told by who is asked then: this only lets the browser ask.
Response allow(const Request& preflight) {
  Response response{204, {}, {}};
  response.fields = {{"Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, PATCH, DELETE"},
                     {"Access-Control-Allow-Headers",
                      std::string(preflight.field("access-control-request-headers"))},
                     {"Access-Control-Max-Age", "600"}};
  if (response.fields[1].value.empty()) response.fields.erase(response.fields.begin() + 1);
  return response;
}

}  // namespace eole::gateway::http
