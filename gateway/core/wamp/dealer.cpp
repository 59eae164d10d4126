#include "gateway/core/wamp/dealer.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "common/base/text.hpp"

namespace eole::gateway::wamp {

namespace {

constexpr std::string_view kCanceled = "wamp.error.canceled";
constexpr std::string_view kKillNoWait = "killnowait";

bool is_set(const Value& options, std::string_view name) {
  const auto* value = options[name].as<bool>();
  return value != nullptr && *value;
}

}  // namespace

void Dealer::join(Peer peer, bool can_be_interrupted) {
  if (can_be_interrupted) interruptible_.insert(peer);
}

void Dealer::on_register(Peer peer, const Message& message, Actions& out) {
  const auto request = message.id(1);
  message.map(2);
  const auto& procedure = message.uri(3);
  const auto refuse_it = [&](std::string_view error, std::string_view why) {
    send_error(peer, Type::kRegister, request, error, why, out);
  };
  if (!is_uri(procedure)) return refuse_it("wamp.error.invalid_uri", procedure);
  if (procedure.starts_with("eole.") || procedure.starts_with("wamp."))
    return refuse_it("wamp.error.not_authorized",
                     text(procedure, ": what begins like this is no client's"));
  if (procedures_.contains(procedure))
    return refuse_it("wamp.error.procedure_already_exists", procedure);
  auto& own = of_callee_[peer];
  if (own.size() >= kRegistrationsMax)
    return refuse_it("eole.error.too_many",
                     text(own.size(), " registrations, limit ", kRegistrationsMax));
  const auto id = ++last_registration_;
  procedures_.emplace(procedure, id);
  registrations_.emplace(id, Registration{peer, procedure});
  own.insert(id);
  send(peer, encode(Type::kRegistered, {request, id}), out);
}

void Dealer::on_unregister(Peer peer, const Message& message, Actions& out) {
  const auto request = message.id(1);
  const auto found = registrations_.find(message.id(2));
  if (found == registrations_.end() || found->second.callee != peer)
    return send_error(peer, Type::kUnregister, request, "wamp.error.no_such_registration", {}, out);
  of_callee_[peer].erase(found->first);
  procedures_.erase(found->second.procedure);
  registrations_.erase(found);
  send(peer, encode(Type::kUnregistered, {request}), out);
}

void Dealer::on_call(Peer peer, const Message& message, Actions& out) {
  call({peer, message.id(1)}, is_set(message.map(2), "receive_progress"), message.uri(3),
       message.args(4), message.kwargs(5), out);
}

void Dealer::call(Id request, const std::string& procedure, const Value& args, const Value& kwargs,
                  Actions& out) {
  call({kSelf, request}, true, procedure, args, kwargs, out);
}

void Dealer::call(const End& caller, bool wants_progress, const std::string& procedure,
                  const Value& args, const Value& kwargs, Actions& out) {
  if (by_caller_.contains(caller))
    return refuse(caller, "wamp.error.invalid_argument", "this request is under way already", out);
  const auto first = by_caller_.lower_bound({caller.first, 0});
  const auto last = by_caller_.upper_bound({caller.first, kLastId});
  if (static_cast<std::size_t>(std::distance(first, last)) >= kCallsMax)
    return refuse(caller, "eole.error.too_many", text(kCallsMax, " calls are under way: the limit"),
                  out);
  const auto found = procedures_.find(procedure);
  const bool is_own = caller.first != kSelf && own_.contains(procedure);
  if (!is_own && found == procedures_.end())
    return refuse(caller, "wamp.error.no_such_procedure", procedure, out);
  const auto callee = is_own ? kSelf : registrations_.at(found->second).callee;
  const End invocation{callee, ++last_invocation_[callee]};
  calls_.emplace(invocation, Call{caller, wants_progress});
  by_caller_.emplace(caller, invocation);
  if (is_own) {
    out.push_back(OwnCalled{invocation.second, within_, procedure, args, kwargs, caller.first});
    return;
  }
  Value details = Value::Map{};
  if (wants_progress) details.set("receive_progress", true);
  send(callee,
       encode(Type::kInvocation, {invocation.second, found->second, std::move(details)},
              tail_of(args, kwargs)),
       out);
}

// skip: the callee is left alone; kill: it says how that ends; killnowait, and what else is said:
// both are told at once.
void Dealer::on_cancel(Peer peer, const Message& message, Actions& out) {
  const End caller{peer, message.id(1)};
  const auto mode = message.map(2)["mode"].text_or("");
  const auto found = by_caller_.find(caller);
  if (found == by_caller_.end()) return;  // Its result is on the way.
  const bool is_kill = mode == "kill";
  const bool is_interrupted =
      mode != "skip" && interrupt(found->second, is_kill ? "kill" : kKillNoWait, out);
  if (is_kill && is_interrupted) return;
  tell_error(calls_.find(found->second), kCanceled, {}, {}, out);
}

void Dealer::cancel(Id request, Actions& out) {
  const auto found = by_caller_.find({kSelf, request});
  if (found == by_caller_.end()) return;
  interrupt(found->second, kKillNoWait, out);
  forget(calls_.find(found->second));
}

void Dealer::on_yield(Peer peer, const Message& message, Actions& out) {
  const auto found = calls_.find({peer, message.id(1)});
  const bool is_progress = is_set(message.map(2), "progress");
  const auto& args = message.args(3);
  const auto& kwargs = message.kwargs(4);
  if (found == calls_.end()) return;  // Nobody waits for it any more.
  tell(found, is_progress, args, kwargs, out);
}

void Dealer::on_error(Peer peer, const Message& message, Actions& out) {
  if (message.id(1) != static_cast<Id>(Type::kInvocation))
    throw Violation("a client's error is about an invocation");
  const auto found = calls_.find({peer, message.id(2)});
  message.map(3);
  const auto& error = message.uri(4);
  const auto& args = message.args(5);
  const auto& kwargs = message.kwargs(6);
  if (found != calls_.end()) tell_error(found, error, args, kwargs, out);
}

void Dealer::answer(Id call, const Value& args, Actions& out) {
  const auto found = calls_.find({kSelf, call});
  if (found != calls_.end()) tell(found, false, args, {}, out);
}

void Dealer::fail(Id call, std::string_view error, std::string_view why, Actions& out) {
  const auto found = calls_.find({kSelf, call});
  if (found != calls_.end()) tell_error(found, error, Value::Array{why}, {}, out);
}

void Dealer::tell(Calls::iterator call, bool is_progress, const Value& args, const Value& kwargs,
                  Actions& out) {
  const auto& [peer, request] = call->second.caller;
  if (is_progress && !call->second.wants_progress) return;
  if (peer == kSelf) {
    out.push_back(Heard{request, is_progress, {}, args, kwargs});
  } else {
    Value details = Value::Map{};
    if (is_progress) details.set("progress", true);
    send(peer, encode(Type::kResult, {request, std::move(details)}, tail_of(args, kwargs)), out);
  }
  if (!is_progress) forget(call);
}

void Dealer::tell_error(Calls::iterator call, std::string_view error, const Value& args,
                        const Value& kwargs, Actions& out) {
  const auto& [peer, request] = call->second.caller;
  if (peer == kSelf) {
    out.push_back(Heard{request, false, std::string(error), args, kwargs});
  } else {
    send(peer,
         encode(Type::kError, {static_cast<int>(Type::kCall), request, Value::Map{}, error},
                tail_of(args, kwargs)),
         out);
  }
  forget(call);
}

void Dealer::refuse(const End& caller, std::string_view error, std::string_view why, Actions& out) {
  if (caller.first == kSelf) {
    out.push_back(Heard{caller.second, false, std::string(error), Value::Array{why}, {}});
  } else {
    send_error(caller.first, Type::kCall, caller.second, error, why, out);
  }
}

// False: it does not say how that ends.
bool Dealer::interrupt(const End& callee, std::string_view mode, Actions& out) const {
  if (!interruptible_.contains(callee.first)) return false;
  send(callee.first, encode(Type::kInterrupt, {callee.second, Value::Map{{"mode", mode}}}), out);
  return true;
}

void Dealer::forget(Calls::iterator call) {
  by_caller_.erase(call->second.caller);
  calls_.erase(call);
}

void Dealer::leave(Peer peer, Actions& out) {
  if (const auto own = of_callee_.extract(peer))
    for (const auto id : own.mapped()) {
      procedures_.erase(registrations_.at(id).procedure);
      registrations_.erase(id);
    }
  for (auto call = calls_.lower_bound({peer, 0}); call != calls_.end() && call->first.first == peer;
       call = calls_.lower_bound({peer, 0}))
    tell_error(call, kCanceled, Value::Array{"who ran it has gone"}, {}, out);
  for (auto call = by_caller_.lower_bound({peer, 0});
       call != by_caller_.end() && call->first.first == peer;
       call = by_caller_.lower_bound({peer, 0})) {
    interrupt(call->second, kKillNoWait, out);
    forget(calls_.find(call->second));
  }
  last_invocation_.erase(peer);
  interruptible_.erase(peer);
}

}  // namespace eole::gateway::wamp
