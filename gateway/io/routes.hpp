#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/net/security.hpp"
#include "gateway/io/exchange.hpp"

namespace eole::gateway {

/// What answers a request. The exchange outlives it.
using Handler = std::function<awaitable<std::optional<http::Response>>(Exchange& exchange)>;

/// Whom a route serves beside those to whom all projects exist.
enum class Reach : std::uint8_t {
  kWithin,  // Who has a prefix, too: it asks the ring of that one, and tells of nothing else.
  kOfAll,   // Nobody else: what it tells or changes is of all projects.
};

/// "GET /task/{id}": a segment in braces is any one; "{path*}" as the last one is all that follow.
struct Route {
  std::string_view method;
  std::string_view path;
  std::optional<net::Role> role;  // What it takes: kObserve, kSubmit, kAdmin or kAnybody.
  Reach reach;
  Handler handler;
  bool takes_tickets = false;  // It asks itself who shows no token, and ends what shows none.
  bool has_head = true;        // Of a GET: HEAD does the same, and nothing changes by it.
  std::vector<std::string_view> parts = {};  // Of the path; set when it is added.
};
/// A route for whoever asks: it tells nothing of the cluster, or asks for a token itself.
constexpr std::optional<net::Role> kAnybody;

/// All routes, each added by the file that has its handler.
class Routes {
 public:
  void add(Route route);
  const std::vector<Route>& all() const { return routes_; }
  /// HEAD is GET's where there is no route of its own, and GET has one. Throws Problem: 404, or 405
  /// with Allow.
  const Route& find(const http::Request& request) const;
  /// Whatever the method.
  bool has_path(const http::Request& request) const;

 private:
  [[noreturn]] void refuse(const http::Request& request) const;
  std::vector<Route> routes_;
};
/// What stands in a request where its route's path has `name` in braces.
std::string segment(std::string_view path, const http::Request& request, std::string_view name);

}  // namespace eole::gateway
