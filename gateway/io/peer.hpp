#pragma once
#include <sys/socket.h>
#include <sys/types.h>

#include <optional>

namespace eole::gateway {

/// The user whose process is at the other end of a TCP connection within this machine; `connection`
/// is our end. Nothing: it is not within this machine, it is closed already, or the kernel does not
/// tell.
std::optional<uid_t> user_behind(int connection);

}  // namespace eole::gateway
