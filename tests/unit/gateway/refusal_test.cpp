#include "gateway/core/refusal.hpp"

#include <catch2/catch.hpp>
#include <set>

#include "common/base/text.hpp"

using namespace eole;
using namespace eole::gateway;

namespace {

/// "429 quota Retry-After 7"
std::string told(ErrorCode code, std::uint32_t retry_after_ms = 0) {
  const auto problem = problem_of({"the ventilator: why", code, retry_after_ms});
  CHECK(problem.detail == "the ventilator: why");
  auto out = std::to_string(problem.status);
  if (!problem.type.empty()) out += " " + problem.type;
  for (const auto& field : problem.fields) out += text(" ", field.name, " ", field.value);
  return out;
}

}  // namespace

TEST_CASE("what the ring refuses has a status that tells what to do", "[gateway]") {
  CHECK(told(ErrorCode::kBad) == "400");
  CHECK(told(ErrorCode::kDenied) == "403 denied");
  CHECK(told(ErrorCode::kOutside) == "403 outside");
  CHECK(told(ErrorCode::kUnknown) == "404 unknown");
  CHECK(told(ErrorCode::kConflict) == "409 conflict");
  CHECK(told(ErrorCode::kTooLarge) == "413 too_large");
  CHECK(told(ErrorCode::kKeyUsed) == "422 key_used");
  CHECK(told(ErrorCode::kAway) == "503 away Retry-After 1");
  CHECK(told(ErrorCode::kFull) == "503 full Retry-After 1");
  CHECK(told(ErrorCode::kDamaged) == "500 damaged");
}

TEST_CASE("what fails on this side is never told as the asker's fault, nor the other way round", "[gateway]") {
  const std::set ours{ErrorCode::kAway, ErrorCode::kFull, ErrorCode::kDamaged};
  for (auto code = ErrorCode::kBad; code <= ErrorCode::kDamaged;
       code = static_cast<ErrorCode>(static_cast<int>(code) + 1)) {
    const auto status = problem_of({"why", code}).status;
    CAPTURE(static_cast<int>(code), status);
    CHECK((status >= 500) == ours.contains(code));
    CHECK((status >= 400 && status < 600));
  }
}

TEST_CASE("who is over a quota is told when to come back, in whole seconds", "[gateway]") {
  CHECK(told(ErrorCode::kQuota) == "429 quota Retry-After 1");
  CHECK(told(ErrorCode::kQuota, 12000) == "429 quota Retry-After 12");
  CHECK(told(ErrorCode::kQuota, 11001) == "429 quota Retry-After 12");
}

TEST_CASE("a problem names what sort it is for programs, and the request it is of", "[gateway]") {
  const auto body = http::to_response(problem_of({"no", ErrorCode::kKeyUsed}), "").body;
  CHECK(body.find(R"("type":"urn:eole:problem:key_used")") != std::string::npos);
  const auto plain = http::to_response(problem_of({"no"}), "5f0c").body;
  CHECK(plain == R"({"type":"about:blank","title":"Bad Request","status":400,"detail":"no",)"
                 R"("request_id":"5f0c"})");
}
