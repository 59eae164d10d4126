#pragma once
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/text.hpp"
#include "common/net/security.hpp"
#include "common/net/socket.hpp"
#include "common/protocol/codec.hpp"
#include "common/protocol/messages.hpp"
#include "common/protocol/refusal.hpp"

namespace eole::net {

/// Who sent a message.
struct Sender {
  std::string peer;  // Whom to answer; empty where nobody can be.
  std::string user;  // Its public key; empty over ipc.
};

/// The messages that come on a socket, one row for each: what is decoded, which roles may send it,
/// and what is done with it. What is malformed, forbidden or unknown is refused here, for all rows.
/// A message's `within` is what its sender asked for, and no more than its key is bound to (ring
/// rule T1); one without such a field goes no further from a bound key, unless it is of no project.
class Router {
 public:
  /// Tells the sender of a message that nothing was done, and why.
  using Refuse = std::function<void(const Sender& to, protocol::Refused refused)>;

  /// `owner`: as in "is not for a sink". `authority`: null if nobody's role is asked for.
  Router(std::string owner, Authority* authority, Refuse refuse)
      : owner_(std::move(owner)), authority_(authority), refuse_(std::move(refuse)) {}
  Router(const Router&) = delete;
  Router& operator=(const Router&) = delete;

  /// Messages of type T go to `handler(T&, const Sender&)`, from keys with one of the roles. It
  /// returns nothing, or Expected<void>: then an error is refused in the request's name.
  template <class T, class Handler>
  void take(std::vector<Role> roles, Handler handler) {
    rows_.push_back({T::kName, [this, roles = std::move(roles), handler = std::move(handler)](
                                   protocol::HeadReader head, Bytes payload, const Sender& from) {
                       auto message = protocol::decode<T>(head, std::move(payload));
                       std::uint64_t request = 0;
                       if constexpr (requires { message->request; })
                         if (message) request = message->request;
                       const auto refuse = [&](const Error& why) {
                         refuse_(from, protocol::refused(request, why));
                       };
                       if (const auto missing = missing_role(from, roles))
                         return refuse({text(T::kName, *missing), ErrorCode::kDenied});
                       if (!message) return refuse(message.error());
                       if (auto wrong = bind(*message, from))
                         return refuse({text(T::kName, ": ", wrong->message), wrong->code});
                       if constexpr (std::is_void_v<decltype(handler(*message, from))>) {
                         handler(*message, from);
                       } else if (const auto done = handler(*message, from); !done) {
                         refuse(done.error());
                       }
                     }});
  }

  void route(Received&& received) const;

 private:
  struct Row {
    std::string_view name;
    std::function<void(protocol::HeadReader head, Bytes payload, const Sender& from)> take;
  };
  std::optional<std::string> missing_role(const Sender& from, const std::vector<Role>& roles) const;
  Expected<Within> within_of(const Sender& from, const std::string& asked) const;
  /// Says in the message which projects exist for its sender; or why it goes no further.
  template <class T>
  std::optional<Error> bind(T& message, const Sender& from) const {
    if (authority_ == nullptr) return std::nullopt;
    if constexpr (requires { message.within; }) {
      const auto within = within_of(from, message.within);
      if (!within) return within.error();
      message.within = within->prefix();
    } else if constexpr (!requires { T::kIsOfNoProject; }) {
      if (const auto within = authority_->within(from.user); !within.is_all())
        return Error{text("this key is bound to ", within.prefix(), ", and this tells of all"),
                     ErrorCode::kOutside};
    }
    return std::nullopt;
  }

  std::string owner_;
  Authority* authority_;
  Refuse refuse_;
  std::vector<Row> rows_;
};

}  // namespace eole::net
