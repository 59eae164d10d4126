#pragma once
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "common/base/expected.hpp"
#include "common/base/time.hpp"
#include "common/net/cluster_file.hpp"
#include "common/net/socket.hpp"
#include "common/protocol/value.hpp"

namespace eole::relay {

/// One chain that was declared: reads in a thread of its own, as a member of the group of its name,
/// and submits a task for each notification that fits. The task's key is the chain's, the log's and
/// the offset's, and what was submitted is committed: so it is accepted once, however often either
/// is repeated.
class Chain {
 public:
  /// `declared`: as `query chains` tells it. The context outlives it.
  Chain(net::Context& context, const net::ClusterFile& cluster, protocol::Value declared);
  ~Chain();
  Chain(const Chain&) = delete;
  Chain& operator=(const Chain&) = delete;
  const protocol::Value& declared() const { return declared_; }

 private:
  void run();
  /// Until it is told to stop; errors: what is tried again after a while.
  Expected<void> work();
  Expected<void> join();
  bool is_over() { return pause(Duration{}); }
  /// True: it is told to stop.
  bool pause(Duration time);

  net::Context& context_;
  const net::ClusterFile& cluster_;
  const protocol::Value declared_;
  const std::string name_;
  std::mutex mutex_;
  std::condition_variable stop_;
  bool is_over_ = false;
  std::thread thread_;  // Last: it uses the others.
};

}  // namespace eole::relay
