#pragma once
#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/core/http/request.hpp"

namespace eole::gateway::http {

/// Why a request is refused, as RFC 9457 has it; a handler throws it.
struct Problem : std::exception {
  /// One thing that is wrong in the body.
  struct At {
    std::string pointer;  // RFC 6901: "/3/args/url".
    std::string detail;
  };
  Problem(int status_is, std::string why, std::vector<At> where = {})
      : status(status_is), detail(std::move(why)), errors(std::move(where)) {}
  const char* what() const noexcept override { return detail.c_str(); }

  int status;
  std::string detail;  // What, which, why, and the limit.
  std::vector<At> errors;
  std::vector<Field> fields = {};  // Of the answer, as Retry-After.
  std::string type = {};           // What a role calls it; empty: the status says it all.
};

/// application/problem+json: type, title, status, detail, request_id, errors[] {pointer, detail}.
Response to_response(const Problem& problem, std::string_view request_id);

}  // namespace eole::gateway::http
