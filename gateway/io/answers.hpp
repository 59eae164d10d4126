#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/time.hpp"
#include "common/protocol/value.hpp"
#include "gateway/core/refusal.hpp"
#include "gateway/io/exchange.hpp"

/// What handlers have in common: JSON in and out, and what a role answered.
namespace eole::gateway {

using protocol::Value;

http::Response json(int status, const Value& body);
/// The answer, or the Problem that its refusal is.
Value need(Expected<Value> answer);

/// The body as a JSON object; an empty one if there is no body. Throws Problem.
awaitable<Value> read_map(Exchange& exchange);
/// A member of a map, and what it must be if it is there. kExpected: so many tasks.
struct Member {
  enum class Is : std::uint8_t { kAny, kText, kName, kFlag, kList, kWhole, kExpected };
  std::string_view name;
  Is is = Is::kAny;
  std::string_view like = {};  // What it may be, for who wrote something else.
};
/// Throws Problem 400 if one of these is of another type: a word that would narrow what is asked
/// for, and is none, would leave all.
void check(const Value& map, const std::vector<Member>& members);
/// Also if the map has a member that is none of these.
void only(const Value& map, const std::vector<Member>& members);

/// Options of the query that are given, under the names that the ring has for them. Throws Problem
/// if a number is none.
struct QueryOption {
  std::string_view name;
  std::string_view ring_name;
  bool is_number = false;
};
Value options_of(const http::Request& request, const std::vector<QueryOption>& known);

/// How long, and how many, of the query: 20s, 100. Throws Problem 400.
Duration duration_of(const http::Request& request, std::string_view name, Duration preset,
                     Duration most);
std::uint32_t count_of(const http::Request& request, std::string_view name, std::uint32_t preset,
                       std::uint32_t most);

/// Unix milliseconds of an option: these, a time as RFC 3339 has it, or a span ago ("10m"). Throws
/// Problem 400.
std::int64_t time_of(std::string_view name, const std::string& written);

}  // namespace eole::gateway
