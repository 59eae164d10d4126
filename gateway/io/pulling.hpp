#pragma once
#include <memory>
#include <optional>
#include <string>

#include "gateway/io/puller.hpp"
#include "gateway/io/ring.hpp"
#include "gateway/io/routes.hpp"

namespace eole::gateway {

class Gateway;

/// What the routes of queues and of pulled kinds share: leases as JSON, and how they end.
class Pulling {
 public:
  explicit Pulling(Gateway& gateway);
  Gateway& gateway() { return gateway_; }

  /// A task as its holder gets it.
  using View = std::function<protocol::Value(const Leased& leased, protocol::Value args)>;
  /// `wait`, `max` and `lease` of the request's query. Throws Gone, and what was leased is given
  /// back, if the client has gone.
  awaitable<protocol::Value> lease(Exchange& exchange, Pulled pulled, View view);
  /// Throws Problem 404 if the lease is nobody's.
  http::Response renew(const http::Request& request, const Pulled& pulled,
                       const std::string& lease);
  /// Answers once the end is durable: 200; 202 if the task is tried again, or that takes long.
  awaitable<http::Response> end(Ring ring, Pulled pulled, std::string lease,
                                Puller::Outcome outcome);
  http::Response show(const Pulled& pulled, const std::string& lease, protocol::Progress progress);

 private:
  Puller& holder(const Pulled& pulled, const std::string& lease);
  awaitable<protocol::Value> args_of(const worker::StartTask& task);
  Gateway& gateway_;
  Fabric& fabric_;
  Pullers pullers_;
};

}  // namespace eole::gateway
