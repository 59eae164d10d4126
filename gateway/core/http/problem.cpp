#include "gateway/core/http/problem.hpp"

#include "common/protocol/value.hpp"

namespace eole::gateway::http {

using protocol::Value;

Response to_response(const Problem& problem, std::string_view request_id) {
  const auto type = problem.type.empty() ? "about:blank" : "urn:eole:problem:" + problem.type;
  Value body = Value::Map{{"type", type},
                          {"title", phrase_of(problem.status)},
                          {"status", problem.status},
                          {"detail", problem.detail},
                          {"request_id", std::string(request_id)}};
  if (!problem.errors.empty()) {
    Value::Array errors;
    for (const auto& error : problem.errors)
      errors.push_back(Value::Map{{"pointer", error.pointer}, {"detail", error.detail}});
    body.set("errors", std::move(errors));
  }
  Response response{problem.status, {{"Content-Type", "application/problem+json"}}, body.to_json()};
  response.fields.insert(response.fields.end(), problem.fields.begin(), problem.fields.end());
  return response;
}

}  // namespace eole::gateway::http
