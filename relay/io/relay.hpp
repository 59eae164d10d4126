#pragma once
#include <map>
#include <memory>
#include <string>

#include "clients/cpp/blocking/requests.hpp"
#include "common/net/cluster_file.hpp"
#include "relay/io/alert_desk.hpp"
#include "relay/io/chain.hpp"

namespace eole::relay {

constexpr std::size_t kChainsMax = 64;  // A thread each: those behind, by name, do not run.

/// Acts on what was declared: chains, a thread each, and alerts.
class Relay {
 public:
  Relay(net::Context& context, net::ClusterFile cluster);
  /// Once a second or so; waits for answers.
  void turn();

 private:
  Expected<void> look();
  Expected<void> run_chains(const protocol::Value& declared);

  net::Context& context_;
  const net::ClusterFile cluster_;
  client::Requests ventilator_;
  client::Requests sink_;
  AlertDesk alerts_;
  std::map<std::string, std::unique_ptr<Chain>> chains_;
  std::string told_;  // What is wrong, as it was logged last.
};

}  // namespace eole::relay
