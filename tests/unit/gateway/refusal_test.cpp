#include "gateway/core/refusal.hpp"

#include <catch2/catch.hpp>

#include "common/base/text.hpp"

using namespace eole;
using namespace eole::gateway;

namespace {

/// "429 Retry-After 7"
std::string told(const Error& error, int status = 400) {
  const auto problem = problem_of(error, status);
  CHECK(problem.detail == error.message);
  auto out = std::to_string(problem.status);
  for (const auto& field : problem.fields) out += text(" ", field.name, " ", field.value);
  return out;
}

}  // namespace

TEST_CASE("what the ring refuses has a status that tells what to do", "[gateway]") {
  CHECK(told({"no answer from the sink", true}) == "503 Retry-After 1");
  CHECK(told({"the ventilator: bad"}) == "400");
  CHECK(told({"the ventilator: bad"}, 409) == "409");
  CHECK(told({"the ventilator: project zeta/x: is not within acme/"}, 409) == "403");
  CHECK(told({"no project is named: must begin with acme/"}) == "403");
  CHECK(told({"query logs: tells of all projects, not of acme/"}) == "403");
}

TEST_CASE("who is over a quota is told when to come back", "[gateway]") {
  CHECK(told({"quota tenant:acme/: 3 tasks are queued, with this submit 4, limit 3; try again "
              "later"}) == "429 Retry-After 1");
  CHECK(told({"quota tenant:acme/: 20/s tasks a second are accepted; try again in 12 s"}, 409) ==
        "429 Retry-After 12");
}
