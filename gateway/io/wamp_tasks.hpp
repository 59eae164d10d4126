#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "gateway/core/wamp/dealer.hpp"
#include "gateway/io/puller.hpp"

namespace eole::gateway {

/// Tasks of kind wamp: each calls the procedure that its arguments name, {procedure, args, kwargs},
/// if a client has registered it here to whom all projects exist: as a worker does, it serves all.
class WampTasks {
 public:
  /// `perform`: what a call led to.
  using Perform = std::function<void(wamp::Actions actions)>;
  WampTasks(Fabric& fabric, wamp::Dealer& dealer, Perform perform);
  /// For ever: a worker of that kind while there are procedures.
  awaitable<void> pull();
  void hear(const wamp::Heard& heard);

 private:
  void call(const Leased& leased);
  Fabric& fabric_;
  wamp::Dealer& dealer_;
  Perform perform_;
  std::unique_ptr<Puller> puller_;
  std::map<wamp::Id, std::string> leases_;  // Of each call.
  wamp::Id last_ = 0;
};

}  // namespace eole::gateway
