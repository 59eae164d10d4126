#include "gateway/core/http/origin.hpp"

#include <catch2/catch.hpp>

#include "gateway/core/http/problem.hpp"

using namespace eole::gateway::http;

namespace {

int status(const std::string& host, const std::string& origin = "") {
  Request request{"GET", "/", {{"host", host}}};
  if (!origin.empty()) request.fields.push_back({"origin", origin});
  try {
    check_origin(request);
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
