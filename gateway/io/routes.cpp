#include "gateway/io/routes.hpp"

#include <algorithm>
#include <set>

#include "common/base/text.hpp"

namespace eole::gateway {

namespace {

std::vector<std::string_view> parts_of(std::string_view path) {
  std::vector<std::string_view> parts;
  while (!path.empty() && path != "/") {
    path.remove_prefix(1);
    const auto end = path.find('/');
    parts.push_back(path.substr(0, end));
    if (end == std::string_view::npos) break;
    path.remove_prefix(end);
  }
  return parts;
}

// How well a path fits: so many of its parts are literal; nothing: not at all.
std::optional<int> fit(const std::vector<std::string_view>& parts,
                       const std::vector<std::string>& segments) {
  int literal = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].ends_with("*}")) return literal;
    if (i == segments.size()) return {};
    if (parts[i].starts_with('{')) {
      if (segments[i].empty()) return {};
    } else if (parts[i] == segments[i]) {
      ++literal;
    } else {
      return {};
    }
  }
  return parts.size() == segments.size() ? std::optional(literal) : std::nullopt;
}

}  // namespace

void Routes::add(Route route) {
  route.parts = parts_of(route.path);
  routes_.push_back(std::move(route));
}

const Route& Routes::find(const http::Request& request) const {
  const auto wanted = request.method == "HEAD" ? std::string_view("GET") : request.method;
  const Route* best = nullptr;
  int best_fit = -1;
  for (const auto& route : routes_) {
    // Most begin with another word.
    if (!route.parts.empty() && !request.segments.empty() && route.parts[0] != request.segments[0])
      continue;
    const bool is_own = route.method == request.method;
    if (!is_own && (route.method != wanted || !route.has_head)) continue;
    const auto literal = fit(route.parts, request.segments);
    if (!literal || *literal * 2 + is_own <= best_fit) continue;
    best = &route;
    best_fit = *literal * 2 + is_own;
  }
  if (best == nullptr) refuse(request);
  return *best;
}

bool Routes::has_path(const http::Request& request) const {
  return std::any_of(routes_.begin(), routes_.end(), [&](const auto& route) {
    return fit(route.parts, request.segments).has_value();
  });
}

void Routes::refuse(const http::Request& request) const {
  std::set<std::string> methods;
  for (const auto& route : routes_) {
    if (!fit(route.parts, request.segments)) continue;
    methods.insert(std::string(route.method));
    if (route.method == "GET" && route.has_head) methods.insert("HEAD");
  }
  if (methods.empty()) throw http::Problem(404, text(request.target, ": there is no such place"));
  std::string allowed;
  for (const auto& method : methods) allowed += (allowed.empty() ? "" : ", ") + method;
  http::Problem problem(405, text(request.method, " ", request.target, ": only ", allowed));
  problem.fields.push_back({"Allow", allowed});
  throw problem;
}

std::string segment(std::string_view path, const http::Request& request, std::string_view name) {
  const auto parts = parts_of(path);
  for (std::size_t i = 0; i < parts.size() && i < request.segments.size(); ++i)
    if (parts[i] == text("{", name, "}")) return request.segments[i];
  return {};
}

}  // namespace eole::gateway
