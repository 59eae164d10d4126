#pragma once
#include <errno.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace eole::peers {

/// Ends the process: a figure of a peer that failed is none.
[[noreturn]] inline void fail(const std::string& why) {
  std::fprintf(stderr, "%s: %s\n", ::program_invocation_short_name, why.c_str());
  std::_Exit(3);
}

/// Of the server, on this machine.
inline std::uint16_t server_port() {
  const char* port = std::getenv("PEER_PORT");
  if (port == nullptr) fail("PEER_PORT says no port");
  return static_cast<std::uint16_t>(std::atoi(port));
}

}  // namespace eole::peers
