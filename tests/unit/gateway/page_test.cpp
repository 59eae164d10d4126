#include "gateway/core/page.hpp"

#include <catch2/catch.hpp>

using namespace eole::gateway;

namespace {

http::Request a_get(std::string target, std::string accept, std::string method = "GET") {
  http::Request request;
  request.method = std::move(method);
  request.target = std::move(target);
  request.fields = {{"accept", std::move(accept)}};
  REQUIRE(http::split_target(request));
  return request;
}

constexpr auto kBrowser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

http::Request with(std::string name, std::string value) {
  http::Request request;
  request.fields = {{std::move(name), std::move(value)}};
  return request;
}

}  // namespace

TEST_CASE("A browser gets the page at each screen's path, a program the route", "[gateway]") {
  for (const auto* path : {"/tasks", "/tasks?state=dead", "/tasks/k3f9qz-17",
                           "/projects/a%20b", "/submit", "/pictures", "/dead", "/workers",
                           "/cluster", "/schedules", "/groups", "/groups/billing", "/events-log", "/logs", "/login"}) {
    CAPTURE(path);
    CHECK(page_file_for(a_get(path, kBrowser)) == "index.html");
    CHECK(page_file_for(a_get(path, kBrowser, "HEAD")) == "index.html");
    CHECK_FALSE(page_file_for(a_get(path, "application/json")));
    CHECK_FALSE(page_file_for(a_get(path, "*/*")));
    CHECK_FALSE(page_file_for(a_get(path, "text/html;q=0, application/json")));
    CHECK_FALSE(page_file_for(a_get(path, kBrowser, "POST")));
  }
}

TEST_CASE("What has no route is the page for all", "[gateway]") {
  CHECK(page_file_for(a_get("/", "*/*")) == "index.html");
  CHECK_FALSE(page_file_for(a_get("/", kBrowser, "POST")));
}

TEST_CASE("A browser that opens a route without a screen gets the route", "[gateway]") {
  for (const auto* path : {"/metrics", "/openapi.json", "/task/k3f9qz-17", "/tasks/k3f9qz-17/x",
                           "/artifact/00", "/status", "/dead/groups", "/workers/w1"}) {
    CAPTURE(path);
    CHECK_FALSE(page_file_for(a_get(path, kBrowser)));
  }
}

TEST_CASE("The page's files are for everybody", "[gateway]") {
  CHECK(page_file_for(a_get("/page.js", "*/*")) == "page.js");
  CHECK(page_file_for(a_get("/fr.js", "*/*")) == "fr.js");
  CHECK(page_file_for(a_get("/page.css", "text/css")) == "page.css");
  CHECK_FALSE(page_file_for(a_get("/page.js/x", "*/*")));
  CHECK_FALSE(page_file_for(a_get("/index.html", kBrowser)));
}

TEST_CASE("The smallest form that is accepted is served", "[gateway]") {
  CHECK(coding_for(with("accept-encoding", "gzip, deflate, br")) == Coding::kBrotli);
  CHECK(coding_for(with("accept-encoding", "GZIP;q=0.5")) == Coding::kGzip);
  CHECK(coding_for(with("accept-encoding", "br;q=0, gzip")) == Coding::kGzip);
  CHECK(coding_for(with("accept-encoding", "br;q=0.000, gzip; q=0")) == Coding::kPlain);
  CHECK(coding_for(with("accept-encoding", "")) == Coding::kPlain);
  CHECK(coding_for({}) == Coding::kPlain);
}

TEST_CASE("Who has a copy is told that it is the newest", "[gateway]") {
  CHECK(has_copy(with("if-none-match", "\"a-br\""), "\"a-br\""));
  CHECK(has_copy(with("if-none-match", "\"b\", W/\"a-br\""), "\"a-br\""));
  CHECK(has_copy(with("if-none-match", "*"), "\"a-br\""));
  CHECK_FALSE(has_copy(with("if-none-match", "\"a\""), "\"a-br\""));
  CHECK_FALSE(has_copy({}, "\"a-br\""));
}
