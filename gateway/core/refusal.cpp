#include "gateway/core/refusal.hpp"

#include <algorithm>
#include <string>

#include "common/protocol/refusal.hpp"

namespace eole::gateway {

namespace {

int status_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kBad: return 400;
    case ErrorCode::kDenied:
    case ErrorCode::kOutside: return 403;
    case ErrorCode::kUnknown: return 404;
    case ErrorCode::kConflict: return 409;
    case ErrorCode::kTooLarge: return 413;
    case ErrorCode::kKeyUsed: return 422;
    case ErrorCode::kQuota: return 429;
    case ErrorCode::kAway:
    case ErrorCode::kFull: return 503;
    case ErrorCode::kDamaged: return 500;
  }
  return 500;
}

}  // namespace

http::Problem problem_of(const Error& error) {
  http::Problem problem(status_of(error.code), error.message);
  problem.type = protocol::name_of(error.code);
  if (problem.status == 429 || problem.status == 503) {
    const auto seconds = (std::uint64_t{error.retry_after_ms} + 999) / 1000;
    problem.fields.push_back({"Retry-After", std::to_string(std::max<std::uint64_t>(seconds, 1))});
  }
  return problem;
}

}  // namespace eole::gateway
