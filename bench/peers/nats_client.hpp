#pragma once
#include <nats/nats.h>

#include <string>

#include "bench/peers/server.hpp"

namespace eole::peers {

inline void check(natsStatus status, const char* what) {
  if (status != NATS_OK) fail(std::string("nats: ") + what + ": " + ::natsStatus_GetText(status));
}

inline natsConnection* connect(bool sends_at_once) {
  natsOptions* options = nullptr;
  check(::natsOptions_Create(&options), "options");
  const auto url = "nats://127.0.0.1:" + std::to_string(server_port());
  ::natsOptions_SetURL(options, url.c_str());
  ::natsOptions_SetSendAsap(options, sends_at_once);
  natsConnection* connection = nullptr;
  check(::natsConnection_Connect(&connection, options), "connect");
  ::natsOptions_Destroy(options);
  return connection;
}

}  // namespace eole::peers
