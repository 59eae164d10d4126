#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <zmq.hpp>

#include "common/net/socket.hpp"

namespace eole::net {

/// The ZAP domain of sockets that every known key may join. A pipe's domain is its worker's key,
/// the publisher's kUnboundKeys.
inline const std::string kAnyKey = "eole";

/// Counts bytes that libzmq holds; shared with its frames, which it frees in its own thread.
using Gauge = std::shared_ptr<std::atomic<std::size_t>>;

/// Shared by the files of this directory only.
struct Context::State {
  ClusterFile cluster;
  bool has_authority = false;
  Gauge outbound = std::make_shared<Gauge::element_type>(0);  // Of all sockets that connect.
  Gauge pipes = std::make_shared<Gauge::element_type>(0);     // Of all that bind and push.
  std::uint32_t next_port = 0;  // Of a range: turns around in it, so that none comes back soon.
  zmq::context_t context;
  zmq::socket_t stop_zap;  // Closing the conversation ends the thread.
  std::thread zap;
};

}  // namespace eole::net
