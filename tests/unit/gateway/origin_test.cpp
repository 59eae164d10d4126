#include "gateway/core/http/origin.hpp"

#include <catch2/catch.hpp>

#include "gateway/core/http/problem.hpp"

using namespace eole::gateway::http;

namespace {

int status(const std::string& host, const std::string& origin = "", const Place& place = {}) {
  Request request{"GET", "/", {{"host", host}}};
  if (!origin.empty()) request.fields.push_back({"origin", origin});
  try {
    check_origin(request, place);
    return 200;
  } catch (const Problem& problem) {
    return problem.status;
  }
}

}  // namespace

TEST_CASE("only this machine's own names are served", "[gateway]") {
  for (const auto* host :
       {"127.0.0.1:80", "127.0.0.1", "localhost:8080", "[::1]:80", "127.1.2.3:1"})
    REQUIRE(status(host) == 200);
  for (const auto* host : {"evil.example", "127.evil.example", "localhost.evil.example:80", "[::1",
                           "10.0.0.1", "127.0.0.1:80a", "localhost:80:90"}) {
    INFO(host);
    REQUIRE(status(host) == 421);
  }
}

TEST_CASE("a page of another origin may not ask", "[gateway]") {
  REQUIRE(status("127.0.0.1:80", "http://127.0.0.1:80") == 200);
  REQUIRE(status("127.0.0.1:80", "http://127.0.0.1:81") == 403);
  REQUIRE(status("127.0.0.1:80", "https://evil.example") == 403);
  REQUIRE(status("127.0.0.1:80", "null") == 403);
}

TEST_CASE("what is reached from elsewhere is served at the names of its certificate", "[gateway]") {
  const Place place{false, true, {"eole.example.org", "*.farm.example.org", "10.0.0.5", "fd00::2"}};
  for (const auto* host : {"eole.example.org:443", "EOLE.example.org", "a.farm.example.org",
                           "10.0.0.5:8443", "[fd00::2]:8443"}) {
    INFO(host);
    REQUIRE(status(host, "", place) == 200);
    REQUIRE(status(host, std::string("https://") + host, place) == 200);
    REQUIRE(status(host, std::string("http://") + host, place) == 403);
  }
  for (const auto* host : {"localhost", "127.0.0.1", "farm.example.org", "a.b.farm.example.org",
                           ".farm.example.org", "evil.example", "[]", "10.0.0.6"}) {
    INFO(host);
    REQUIRE(status(host, "", place) == 421);
  }
}

TEST_CASE("a page that is allowed to may ask, and no other", "[gateway]") {
  const Place place{true, false, {}, "https://shop.example"};
  REQUIRE(status("localhost:80", "https://shop.example", place) == 200);
  REQUIRE(status("localhost:80", "http://localhost:80", place) == 200);
  for (const auto* origin :
       {"http://shop.example", "https://shop.example:444", "https://shop.example.evil", "null"})
    REQUIRE(status("localhost:80", origin, place) == 403);
  Request ask{"OPTIONS", "/task", {{"access-control-request-method", "POST"}}};
  REQUIRE(is_preflight(ask));
  ask.fields.push_back({"access-control-request-headers", "authorization,content-type"});
  const auto told = allow(ask);
  REQUIRE(told.status == 204);
  REQUIRE(told.fields[1].value == "authorization,content-type");
  ask.method = "POST";
  REQUIRE(!is_preflight(ask));
}

TEST_CASE("an origin that no browser would name is none", "[gateway]") {
  for (const auto* origin : {"https://shop.example", "http://localhost:3000", "https://[::1]:8443",
                             "https://xn--bcher-kva.example"})
    REQUIRE(is_origin(origin));
  for (const auto* origin :
       {"", "shop.example", "https://", "https://shop.example/", "https://shop.example:443",
        "http://shop.example:80", "https://Shop.example", "HTTPS://shop.example", "*",
        "https://*.shop.example", "https://shop.example:", "https://shop.example:x",
        "https://a@shop.example", "ftp://shop.example", "https://[::1", "null"})
    REQUIRE_FALSE(is_origin(origin));
}

TEST_CASE("what a page of others makes a browser fetch is refused, also without an origin",
          "[gateway]") {
  const auto is_refused = [](const std::string& site) {
    try {
      check_site({"GET", "/queues/jobs/messages", {{"sec-fetch-site", site}}});
      return false;
    } catch (const Problem& problem) {
      return problem.status == 403;
    }
  };
  REQUIRE(is_refused("cross-site"));
  REQUIRE(is_refused("same-site"));  // Another port of this machine, say.
  REQUIRE_FALSE(is_refused("same-origin"));
  REQUIRE_FALSE(is_refused("none"));  // A person typed it.
  REQUIRE_NOTHROW(check_site({"GET", "/queues/jobs/messages", {}}));  // No browser.
}
