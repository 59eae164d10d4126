#include "worker/handlers/kinds.hpp"

namespace eole::worker {

Expected<void> echo(std::string_view args, Bytes& out) {
  if (!protocol::is_msgpack(args)) return Error{"echo: its arguments are not one msgpack value"};
  out += args;
  return {};
}

}  // namespace eole::worker
