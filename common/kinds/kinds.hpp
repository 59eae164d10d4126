#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/expected.hpp"
#include "common/protocol/value.hpp"

/// What each kind of task takes. From this one table come the checks at submit and at the worker,
/// `eole submit KIND --help`, the completion and the README's table.
namespace eole::kinds {

using protocol::Value;

enum class Type : std::uint8_t { kText, kInteger, kNumber, kBytes, kTexts, kIntegers, kTextMap };
std::string_view to_text(Type type);

struct Argument {
  std::string_view name;
  Type type = Type::kText;
  std::string_view about;
  bool is_needed = false;
  std::string_view fallback = {};  // As JSON; empty: the argument stays away.
  /// Of a number its bounds, of anything else its size: bytes, items or members.
  std::optional<double> min = {};
  std::optional<double> max = {};
};

struct Kind {
  std::string_view name;
  std::string_view about;
  std::string_view result;
  std::vector<Argument> arguments = {};
  /// The argument that each word after the kind is, for a task of its own; empty: none.
  std::string_view per_word = {};
  /// Groups of which exactly one argument must be there.
  std::vector<std::string_view> one_of = {};
  bool takes_anything = false;  // Its arguments are whatever one likes.
  bool needs_exec = false;      // Only with --allow-exec.
};

/// Every kind that comes with Eole.
const std::vector<Kind>& all();
/// Null if it is none of these.
const Kind* find(std::string_view name);

/// The arguments as the kind wants them: what was left out has its default, integers stand where
/// whole numbers were written as reals. Or why they are refused: which argument, what is wrong
/// with it, what is allowed.
Expected<Value> conform(const Kind& kind, const Value& args);

}  // namespace eole::kinds
