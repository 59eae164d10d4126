#include "worker/handlers/kinds.hpp"

namespace eole::worker {

Outcome run_dead(const Value& args, TaskContext&) {
  return Outcome::failed(args["error"].text_or(""));
}

}  // namespace eole::worker
