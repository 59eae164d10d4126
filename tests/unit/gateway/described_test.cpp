#include "gateway/core/http/described.hpp"

#include <catch2/catch.hpp>

#include "common/base/text.hpp"
#include "gateway/core/http/problem.hpp"

using namespace eole;
using namespace eole::gateway;

namespace {

/// Why a request with this query is refused; empty: it is not.
std::string why(std::string_view method, std::string_view path, std::string_view query) {
  static const http::Described described(*protocol::Value::from_json(R"({"paths": {
    "/tasks": {"get": {"operationId": "tasks", "parameters": [
      {"name": "state", "in": "query"}, {"name": "If-Match", "in": "header"}, {"name": "limit", "in": "query"}]}},
    "/task/{id}": {"parameters": [{"name": "id", "in": "path"}],
                   "get": {"operationId": "task"}}}})"));
  http::Request request{std::string(method), text("/any?", query), {}};
  REQUIRE(http::split_target(request));
  try {
    described.check(method, path, request);
  } catch (const http::Problem& problem) {
    CHECK(problem.status == 400);
    return problem.detail;
  }
  return "";
}

}  // namespace

TEST_CASE("a query has the options that are described, each once", "[gateway]") {
  CHECK(why("GET", "/tasks", "").empty());
  CHECK(why("GET", "/tasks", "limit=3&state=queued").empty());
  CHECK(why("GET", "/tasks", "stat=queued") == "?stat: GET /tasks takes state, limit");
  CHECK(why("GET", "/tasks", "if-match=1") == "?if-match: GET /tasks takes state, limit");
  CHECK(why("GET", "/tasks", "limit=3&limit=4") == "?limit: is there twice");
  CHECK(why("GET", "/task/{id}", "id=1") == "?id: GET /task/{id} takes no options");
  CHECK(why("GET", "/task/{id}", "%1b=1") == "?\\x1b: GET /task/{id} takes no options");
  CHECK(why("POST", "/tasks", "any=1&any=2").empty());  // It is not described.
}
