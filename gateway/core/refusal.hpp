#pragma once
#include "common/base/expected.hpp"
#include "gateway/core/http/problem.hpp"

namespace eole::gateway {

/// What the ring refused, over HTTP: 503 if nobody answered, 403 if it is not within the caller's
/// projects, 429 if their quota is used up (Retry-After says when there is room again, as far as
/// that is known), else `status`.
http::Problem problem_of(const Error& error, int status = 400);

}  // namespace eole::gateway
