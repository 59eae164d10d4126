#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/expected.hpp"
#include "common/protocol/task_class.hpp"

namespace eole::ventilator {

/// Whom a limit is about: all, or one kind, project, worker or key by its name, or the projects
/// with a prefix.
struct Scope {
  enum class Of : std::uint8_t { kAll, kKind, kProject, kWorker, kKey, kTenant };
  Of of = Of::kAll;
  std::string name = {};
  auto operator<=>(const Scope&) const = default;
};
/// Those that hold tasks of this class, whatever their keys.
std::array<Scope, 3> scopes_of(const protocol::TaskClass& task_class);
/// "all", "kind:download", "project:photos", "worker:w1", "key:alice", "tenant:acme/".
std::string to_text(const Scope& scope);
Expected<Scope> parse_scope(std::string_view written);

}  // namespace eole::ventilator
