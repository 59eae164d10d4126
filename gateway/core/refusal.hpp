#pragma once
#include "common/base/expected.hpp"
#include "gateway/core/http/problem.hpp"

namespace eole::gateway {

/// What the ring refused, over HTTP: its code tells the status, and the problem's type.
http::Problem problem_of(const Error& error);

}  // namespace eole::gateway
