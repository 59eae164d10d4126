#pragma once
#include <cstdint>
#include <string>
#include <thread>
#include <zmq.hpp>

#include "common/net/socket.hpp"

namespace eole::net {

/// The ZAP domain of sockets that every known key may join. A pipe's domain is its worker's key.
inline const std::string kAnyKey = "eole";

/// Shared by the files of this directory only.
struct Context::State {
  ClusterFile cluster;
  bool has_authority = false;
  std::uint32_t next_port = 0;  // Of a range: turns around in it, so that none comes back soon.
  zmq::context_t context;
  zmq::socket_t stop_zap;  // Closing the conversation ends the thread.
  std::thread zap;
};

}  // namespace eole::net
