#include "gateway/core/http/described.hpp"

#include <algorithm>
#include <cctype>
#include <set>

#include "common/base/shown.hpp"
#include "common/base/text.hpp"
#include "gateway/core/http/problem.hpp"

namespace eole::gateway::http {

using protocol::Value;

namespace {

std::string upper(std::string name) {
  for (auto& letter : name) letter = static_cast<char>(std::toupper(letter));
  return name;
}

}  // namespace

Described::Described(const Value& openapi) {
  for (const auto& [path, methods] : *openapi["paths"].as<Value::Map>())
    for (const auto& [method, operation] : *methods.as<Value::Map>()) {
      if (operation["operationId"].is_null()) continue;  // Of the path: what stands in it.
      auto& names = options_[text(upper(method), " ", path)];
      const auto* parameters = operation["parameters"].as<Value::Array>();
      if (parameters == nullptr) continue;
      for (const auto& parameter : *parameters)
        if (parameter["in"].text_or("") == "query") names.push_back(parameter["name"].text_or(""));
    }
}

void Described::check(std::string_view method, std::string_view path,
                      const Request& request) const {
  if (request.query.empty()) return;
  const auto operation = options_.find(text(method, " ", path));
  if (operation == options_.end()) return;
  std::set<std::string_view> seen;
  for (const auto& [name, value] : request.query) {
    if (std::find(operation->second.begin(), operation->second.end(), name) ==
        operation->second.end()) {
      std::string known;
      for (const auto& option : operation->second) known += (known.empty() ? "" : ", ") + option;
      throw Problem(400, text("?", shown(name), ": ", method, " ", path, " takes ",
                              known.empty() ? "no options" : known));
    }
    if (!seen.insert(name).second) throw Problem(400, text("?", name, ": is there twice"));
  }
}

}  // namespace eole::gateway::http
