#include "worker/handlers/registry.hpp"

#include "worker/handlers/kinds.hpp"

namespace eole::worker {

const std::vector<Kind>& kinds() {
  static const std::vector<Kind> all{
      {"download", run_download}, {"echo", nullptr, false, echo}, {"exec", run_exec, true},
      {"image", run_image},       {"nqueens", run_nqueens},       {"sleep", run_sleep},
  };
  return all;
}

const Kind* find_kind(std::string_view name) {
  for (const auto& kind : kinds())
    if (kind.name == name) return &kind;
  return nullptr;
}

}  // namespace eole::worker
