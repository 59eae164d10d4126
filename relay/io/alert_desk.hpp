#pragma once
#include <set>
#include <string>

#include "clients/cpp/blocking/requests.hpp"
#include "common/net/cluster_file.hpp"
#include "relay/core/alerts.hpp"

namespace eole::relay {

/// Raises alerts and takes them back: each is a task of its own, in the project alerts, whose key
/// is the alert's and its time. What is raised the ventilator knows, so that a new start of this
/// says nothing twice, and leaves nothing unsaid.
class AlertDesk {
 public:
  AlertDesk(net::Context& context, const net::ClusterFile& cluster)
      : context_(context), cluster_(cluster) {}
  /// Errors: somebody is away, or refuses.
  Expected<void> turn(client::Requests& ventilator, client::Requests& sink, std::int64_t unix_ms);

 private:
  Expected<void> change(const AlertChange& change, const protocol::Value& alerts,
                        client::Requests& ventilator);
  Expected<void> tell(const AlertChange& change, const protocol::Value& alerts);

  net::Context& context_;
  const net::ClusterFile& cluster_;
  std::set<std::string> told_;  // Keys of those that are raised.
};

}  // namespace eole::relay
