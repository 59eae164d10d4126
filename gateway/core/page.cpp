#include "gateway/core/page.hpp"

#include <algorithm>
#include <array>

#include "gateway/core/http/letters.hpp"

namespace eole::gateway {

namespace {

constexpr std::array kFiles{std::string_view("page.js"), std::string_view("fr.js"),
                            std::string_view("page.css"), std::string_view("page.svg")};
constexpr std::array kScreens{
    std::string_view("tasks"),      std::string_view("projects"), std::string_view("submit"),
    std::string_view("pictures"),   std::string_view("queens"),   std::string_view("dead"),
    std::string_view("schedules"),  std::string_view("workers"),  std::string_view("cluster"),
    std::string_view("events-log"), std::string_view("logs"),     std::string_view("login"),
    std::string_view("access"),     std::string_view("groups")};
// Of these each thing has a screen, too: /tasks/k3f9qz-17.
constexpr std::array kWithParts{std::string_view("tasks"), std::string_view("projects"),
                                std::string_view("groups")};

bool is_in(const auto& list, std::string_view name) { return std::ranges::count(list, name) > 0; }

// Each item of a list with commas, its name in lower case and what stands behind the ";".
void each_item(std::string_view list, auto&& hear) {
  while (!list.empty()) {
    const auto comma = list.find(',');
    const auto item = list.substr(0, comma);
    const auto semicolon = item.find(';');
    hear(http::lower(http::trimmed(item.substr(0, semicolon))),
         semicolon == std::string_view::npos ? std::string_view() : item.substr(semicolon + 1));
    list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
  }
}

// "q=0", "q=0.0": not at all.
bool is_refused(std::string_view parameters) {
  const auto written = http::lower(http::trimmed(parameters));
  if (!written.starts_with("q=")) return false;
  return written.find_first_not_of("0.", 2) == std::string::npos;
}

bool names(std::string_view list, std::string_view wanted) {
  bool is_named = false;
  each_item(list, [&](const std::string& name, std::string_view parameters) {
    is_named = is_named || (name == wanted && !is_refused(parameters));
  });
  return is_named;
}

bool is_screen(const std::vector<std::string>& segments) {
  if (segments.size() == 1) return is_in(kScreens, segments[0]);
  return segments.size() == 2 && is_in(kWithParts, segments[0]);
}

}  // namespace

bool is_for_eyes(const http::Request& request) {
  const bool is_read = request.method == "GET" || request.method == "HEAD";
  return is_read && names(request.field("accept"), "text/html");
}

std::optional<std::string_view> page_file_for(const http::Request& request) {
  if (request.method != "GET" && request.method != "HEAD") return {};
  const auto& segments = request.segments;
  if (segments.size() == 1)
    for (const auto file : kFiles)
      if (segments[0] == file) return file;
  if (segments.empty()) return "index.html";  // No route is there.
  if (!is_screen(segments) || !is_for_eyes(request)) return {};
  return "index.html";
}

Coding coding_for(const http::Request& request) {
  const auto accepted = request.field("accept-encoding");
  if (names(accepted, "br")) return Coding::kBrotli;
  return names(accepted, "gzip") ? Coding::kGzip : Coding::kPlain;
}

bool has_copy(const http::Request& request, std::string_view etag) {
  bool has = false;
  each_item(request.field("if-none-match"), [&](const std::string& name, std::string_view) {
    const auto tag = name.starts_with("w/") ? name.substr(2) : name;
    has = has || tag == "*" || tag == etag;
  });
  return has;
}

void add_page_rules(http::Response& response) {
  response.fields.push_back(
      {"Content-Security-Policy",
       "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"});
  response.fields.push_back({"X-Content-Type-Options", "nosniff"});
  response.fields.push_back({"Referrer-Policy", "same-origin"});
  response.fields.push_back({"Cache-Control", "no-cache"});  // Kept, and asked whether it is new.
}

}  // namespace eole::gateway
