#include "worker/handlers/kinds.hpp"

namespace eole::worker {

Outcome run_echo(const Value& args, TaskContext&) { return Outcome::done(args); }

}  // namespace eole::worker
