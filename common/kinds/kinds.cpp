#include "common/kinds/kinds.hpp"

#include "common/kinds/collect.hpp"
#include "common/kinds/dead.hpp"
#include "common/kinds/download.hpp"
#include "common/kinds/echo.hpp"
#include "common/kinds/exec.hpp"
#include "common/kinds/image.hpp"
#include "common/kinds/nqueens.hpp"
#include "common/kinds/sleep.hpp"

namespace eole::kinds {

namespace {
constexpr Kind kAll[] = {kCollect, kDead, kDownload, kEcho, kExec, kImage, kNqueens, kSleep};
}  // namespace

std::span<const Kind> all() { return kAll; }

const Kind* find(std::string_view name) {
  for (const auto& kind : kAll)
    if (kind.name == name) return &kind;
  return nullptr;
}

}  // namespace eole::kinds
