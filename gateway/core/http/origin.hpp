#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "gateway/core/http/request.hpp"

namespace eole::gateway::http {

/// Where a gateway is reached, and whose pages may ask it.
struct Place {
  bool is_local = true;                 // At this machine's own names: localhost, 127.0.0.1, [::1].
  bool is_secure = false;               // https.
  std::vector<std::string> hosts = {};  // At these names, too; "*.example.org" are all below it.
  std::string origin = {};  // Of another's page that may ask: "https://example.org"; empty: none.
};

/// A page of somebody else's must not make a browser ask here: throws Problem 421 if Host is not
/// a name of this place (a name that was bound to its address is somebody else's), 403 if Origin
/// is another one than that, or the one that is allowed. Returns whether it is that one.
bool check_origin(const Request& request, const Place& place);

/// A browser that names no origin says who makes it ask (Fetch Metadata): an image or a link of a
/// page of others leases no message. Throws Problem 403 then.
void check_site(const Request& request);

/// Whether it is one as browsers write it: a scheme, a host in lower case, a port that is not the
/// scheme's own; nothing behind them.
bool is_origin(std::string_view written);

/// What a browser must read in each answer to a page of that origin.
std::vector<Field> shared_with(const Place& place);
/// A browser asks whether that page may ask so: what it is told.
bool is_preflight(const Request& request);
Response allow(const Request& preflight);

}  // namespace eole::gateway::http
