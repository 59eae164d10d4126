#include "worker/handlers/registry.hpp"

#include "worker/handlers/kinds.hpp"

namespace eole::worker {

const std::vector<Handler>& handlers() {
  static const std::vector<Handler> all{
      {*kinds::find("download"), run_download}, {*kinds::find("echo"), nullptr, echo},
      {*kinds::find("exec"), run_exec},         {*kinds::find("image"), run_image},
      {*kinds::find("nqueens"), run_nqueens},   {*kinds::find("sleep"), run_sleep},
  };
  return all;
}

const Handler* find_handler(std::string_view kind) {
  for (const auto& handler : handlers())
    if (handler.kind.name == kind) return &handler;
  return nullptr;
}

}  // namespace eole::worker
