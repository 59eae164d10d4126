#pragma once
#include "common/base/expected.hpp"
#include "common/kinds/kind.hpp"
#include "common/protocol/value.hpp"

/// What each kind of task takes. From the kinds' own descriptions come the checks at submit and at
/// the worker, what runs them, `eole submit KIND --help`, the completion and the README's table.
namespace eole::kinds {

using protocol::Value;

/// Every kind that comes with Eole.
std::span<const Kind> all();
/// Null if it is none of these.
const Kind* find(std::string_view name);

/// "a whole number", as an error has it.
std::string_view to_text(Type type);
/// True for http://… and https://…, in letters of any case.
bool is_web_url(std::string_view url);

/// The arguments as the kind wants them: what was left out has its default, integers stand where
/// whole numbers were written as reals. Or why they are refused: which argument, what is wrong
/// with it, what is allowed. `wrong`: becomes the name of one that was given and is refused. A value
/// that `is_open` is not known yet, and fits.
using IsOpen = bool (*)(const Value& value);
Expected<Value> conform(const Kind& kind, const Value& args, std::string* wrong = nullptr,
                        IsOpen is_open = nullptr);

}  // namespace eole::kinds
