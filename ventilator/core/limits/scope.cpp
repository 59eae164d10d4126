#include "ventilator/core/limits/scope.hpp"

#include <array>
#include <utility>

#include "common/base/text.hpp"
#include "common/base/within.hpp"

namespace eole::ventilator {

namespace {
constexpr std::array<std::pair<Scope::Of, std::string_view>, 5> kPrefixes{
    {{Scope::Of::kKind, "kind:"},
     {Scope::Of::kProject, "project:"},
     {Scope::Of::kWorker, "worker:"},
     {Scope::Of::kKey, "key:"},
     {Scope::Of::kTenant, "tenant:"}}};
}

std::array<Scope, 3> scopes_of(const protocol::TaskClass& task_class) {
  return {{{}, {Scope::Of::kKind, task_class.kind}, {Scope::Of::kProject, task_class.project}}};
}

std::string to_text(const Scope& scope) {
  for (const auto& [of, prefix] : kPrefixes)
    if (of == scope.of) return text(prefix, scope.name);
  return "all";
}

Expected<Scope> parse_scope(std::string_view written) {
  if (written == "all") return Scope{};
  for (const auto& [of, prefix] : kPrefixes) {
    if (!written.starts_with(prefix)) continue;
    const auto name = written.substr(prefix.size());
    if (name.size() > protocol::kNameBytesMax)
      return Error{
          text(prefix, " a name of ", name.size(), " bytes, limit ", protocol::kNameBytesMax)};
    if (name.empty() && of != Scope::Of::kProject) return Error{text(prefix, " no name")};
    if (of == Scope::Of::kTenant)
      if (const auto within = Within::parse(name); !within) return within.error();
    return Scope{of, std::string(name)};
  }
  return Error{
      text(written, ": is all, or kind:, project:, worker:, key: or tenant: and a name")};
}

}  // namespace eole::ventilator
