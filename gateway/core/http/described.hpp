#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/protocol/value.hpp"
#include "gateway/core/http/request.hpp"

namespace eole::gateway::http {

/// What the OpenAPI document says that may stand in a query. Pure.
class Described {
 public:
  explicit Described(const protocol::Value& openapi);
  /// Of the operation "GET" at "/tasks"; one that is not described takes any. Throws Problem 400
  /// for an option that it does not have, or that stands there twice.
  void check(std::string_view method, std::string_view path, const Request& request) const;

 private:
  std::map<std::string, std::vector<std::string>> options_;  // By "GET /tasks".
};

}  // namespace eole::gateway::http
