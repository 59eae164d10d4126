#pragma once
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "gateway/core/wamp/message.hpp"

namespace eole::gateway::wamp {

/// Which client runs which procedure, and the calls that are under way. Those of the gateway itself
/// are called and answered like any.
class Dealer {
 public:
  static constexpr std::size_t kRegistrationsMax = 1024;  // Of one client.
  static constexpr std::size_t kCallsMax = 1024;          // Of one caller, not answered yet.

  /// `own`: the procedures that the gateway runs. `within`: whose calls these are.
  explicit Dealer(const std::vector<std::string>& own, std::string within = {})
      : own_(own.begin(), own.end()), within_(std::move(within)) {}

  /// A client has said hello; what it runs may be interrupted, if it knows how (a client that does
  /// not would take INTERRUPT for a violation).
  void join(Peer peer, bool can_be_interrupted);
  /// The messages REGISTER, UNREGISTER, CALL, CANCEL, YIELD and ERROR.
  void on_register(Peer peer, const Message& message, Actions& out);
  void on_unregister(Peer peer, const Message& message, Actions& out);
  void on_call(Peer peer, const Message& message, Actions& out);
  void on_cancel(Peer peer, const Message& message, Actions& out);
  void on_yield(Peer peer, const Message& message, Actions& out);
  void on_error(Peer peer, const Message& message, Actions& out);
  /// What it called is cancelled, what it ran fails.
  void leave(Peer peer, Actions& out);

  /// The gateway calls; what comes of it is Heard, under `request`.
  void call(Id request, const std::string& procedure, const Value& args, const Value& kwargs,
            Actions& out);
  void cancel(Id request, Actions& out);
  bool has_procedure(std::string_view name) const { return procedures_.contains(name); }
  bool has_procedures() const { return !procedures_.empty(); }
  /// One of the gateway's own procedures ends; nothing if nobody waits for it.
  void answer(Id call, const Value& args, Actions& out);
  void fail(Id call, std::string_view error, std::string_view why, Actions& out);
  /// A call of one of those: false once it was answered or cancelled, or its caller has left.
  bool is_waited_for(Id call) const { return calls_.contains({kSelf, call}); }

 private:
  struct Registration {
    Peer callee = kSelf;
    std::string procedure;
  };
  /// A caller or a callee, and the number of a call with it.
  using End = std::pair<Peer, Id>;
  struct Call {
    End caller;
    bool wants_progress = false;
  };
  using Calls = std::map<End, Call>;  // By the callee's end.

  void call(const End& caller, bool wants_progress, const std::string& procedure, const Value& args,
            const Value& kwargs, Actions& out);
  /// Tells the caller; it is over unless it is progress.
  void tell(Calls::iterator call, bool is_progress, const Value& args, const Value& kwargs,
            Actions& out);
  void tell_error(Calls::iterator call, std::string_view error, const Value& args,
                  const Value& kwargs, Actions& out);
  static void refuse(const End& caller, std::string_view error, std::string_view why, Actions& out);
  bool interrupt(const End& callee, std::string_view mode, Actions& out) const;
  void forget(Calls::iterator call);

  std::set<std::string, std::less<>> own_;
  std::string within_;
  std::map<std::string, Id, std::less<>> procedures_;
  std::map<Id, Registration> registrations_;
  std::map<Peer, std::set<Id>> of_callee_;
  Calls calls_;
  std::map<End, End> by_caller_;        // The callee's end of each call.
  std::map<Peer, Id> last_invocation_;  // Of each callee.
  std::set<Peer> interruptible_;
  Id last_registration_ = 0;
};

}  // namespace eole::gateway::wamp
