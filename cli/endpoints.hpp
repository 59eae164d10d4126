#pragma once
#include <string>

#include "common/net/cluster_file.hpp"

namespace eole::cli {

/// Where the cluster of one data directory listens, and the files that say so to its processes.
struct Endpoints {
  std::string server_path;  // For ventilator and sink: the cluster's own keys.
  std::string worker_path;  // For the workers here: a key that may only work.
  std::string gateway_path;
  std::string ventilator;
  std::string queries;
  std::string notifications;
  std::string http;     // "http://127.0.0.1:8080"
  std::string http_address;  // Of it, without brackets.
  std::string sockets;  // The directory of its sockets; empty over TCP.
  std::string ports;  // "tcp 5571-6570", all of them; empty over ipc.
};

/// How the gateway is reached: ADDRESS:PORT, port 0: one that is free, the same as before if it can
/// be.
struct HttpPlace {
  std::string address = "127.0.0.1:0";
  bool has_certificate = false;  // TLS also on this machine's own addresses.
};

/// Writes server.toml, worker.toml, gateway.toml and admin.toml into `data`, and the person's file
/// to `client_path`. `listen` empty: ipc, always at the same place for the same `data`. Otherwise
/// ADDRESS[:PORT]: TCP with the keys that `data` already holds, or new ones. Keeps no key in
/// memory. Throws Failure.
Endpoints write_endpoints(const std::string& data, const std::string& listen, const HttpPlace& http,
                          const std::string& client_path);

/// Once all of its processes have ended: what they left of it.
void remove_sockets(const Endpoints& endpoints);

}  // namespace eole::cli
