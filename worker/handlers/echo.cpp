#include "worker/handlers/kinds.hpp"

namespace eole::worker {

Expected<Bytes> echo(std::string_view args) {
  if (!protocol::is_msgpack(args)) return Error{"echo: its arguments are not one msgpack value"};
  return Bytes(args);
}

}  // namespace eole::worker
