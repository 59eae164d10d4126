#pragma once
#include <string_view>
#include <vector>

#include "common/kinds/kinds.hpp"
#include "worker/handlers/handler.hpp"

namespace eole::worker {

/// What runs the tasks of a kind.
struct Handler {
  const kinds::Kind& kind;
  /// `args` are as the kind wants them (kinds::conform): defaults are there, types are right.
  Outcome (*run)(const Value& args, TaskContext& context) = nullptr;
  /// Instead of `run`, where the kind's runner is the loop: on the encoded arguments, and has the
  /// encoded value appended.
  Expected<void> (*run_inline)(std::string_view args, Bytes& out) = nullptr;
};

/// Every handler there is. A new one is a function in a file here and a line in registry.cpp; what
/// it takes is its kind's description in common/kinds.
const std::vector<Handler>& handlers();
/// Null if there is none for this kind.
const Handler* find_handler(std::string_view kind);

}  // namespace eole::worker
