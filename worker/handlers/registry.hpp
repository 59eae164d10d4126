#pragma once
#include <string_view>
#include <vector>

#include "worker/handlers/handler.hpp"

namespace eole::worker {

/// A kind of task: its name, what runs it, and what it needs.
struct Kind {
  std::string_view name;
  Outcome (*run)(const Value& args, TaskContext& context) = nullptr;
  bool needs_exec = false;  // Only with --allow-exec.
  /// Instead of `run`, for what takes microseconds and never waits: the worker's loop runs it
  /// itself, on the encoded arguments, and has the encoded value appended.
  Expected<void> (*run_inline)(std::string_view args, Bytes& out) = nullptr;
};

/// Every kind there is. A new one is a file here and a line in registry.cpp.
const std::vector<Kind>& kinds();
/// Null if there is no such kind.
const Kind* find_kind(std::string_view name);

}  // namespace eole::worker
