#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/base/expected.hpp"
#include "common/protocol/value.hpp"

/// The messages of the Web Application Messaging Protocol, as JSON arrays (wamp.2.json).
namespace eole::gateway::wamp {

using protocol::Value;
using Id = std::uint64_t;    // 1 to kLastId.
using Peer = std::uint64_t;  // A connection, as its owner numbers them; kSelf: the gateway.
constexpr Id kLastId = Id{1} << 53;
constexpr Peer kSelf = 0;
constexpr std::size_t kUriBytesMax = 1024;

enum class Type : std::uint8_t {
  kHello = 1,
  kWelcome = 2,
  kAbort = 3,
  kChallenge = 4,
  kAuthenticate = 5,
  kGoodbye = 6,
  kError = 8,
  kPublish = 16,
  kPublished = 17,
  kSubscribe = 32,
  kSubscribed = 33,
  kUnsubscribe = 34,
  kUnsubscribed = 35,
  kEvent = 36,
  kCall = 48,
  kCancel = 49,
  kResult = 50,
  kRegister = 64,
  kRegistered = 65,
  kUnregister = 66,
  kUnregistered = 67,
  kInvocation = 68,
  kInterrupt = 69,
  kYield = 70,
};

// Actions.
/// The same text to each of them.
struct Send {
  std::vector<Peer> peers;
  std::shared_ptr<const std::string> text;
};
/// Its connection ends, behind what was sent.
struct End {
  Peer peer = 0;
};
/// Who it is; Router::welcome() or turn_away() answers it.
struct TicketShown {
  Peer peer = 0;
  std::string ticket;
};
/// One of the gateway's own procedures is called; Dealer::answer() or fail() is the end of it.
struct OwnCalled {
  Id call = 0;
  std::string within;  // The realm of who calls.
  std::string procedure;
  Value args = {};    // An array, or null.
  Value kwargs = {};  // A map, or null.
  Peer caller = kSelf;
};
/// What the gateway called has said something.
struct Heard {
  Id call = 0;
  bool is_progress = false;  // Else it is the end.
  std::string error = {};    // Empty: none.
  Value args = {};
  Value kwargs = {};
};
using Action = std::variant<Send, End, TicketShown, OwnCalled, Heard>;
using Actions = std::vector<Action>;

/// What a client sent, read with care: a wrong type where another is due throws Violation.
struct Violation : std::exception {
  explicit Violation(std::string reason) : why(std::move(reason)) {}
  const char* what() const noexcept override { return why.c_str(); }
  std::string why;
};
class Message {
 public:
  /// Throws Violation: no JSON, no array, no type in front.
  explicit Message(std::string_view json);
  Type type() const { return type_; }
  /// Of the element at `at`; throw Violation.
  Id id(std::size_t at) const;
  const std::string& uri(std::size_t at) const;
  const Value& map(std::size_t at) const;
  /// The arguments from `at` on: an array and a map, null where there are none.
  const Value& args(std::size_t at) const;
  const Value& kwargs(std::size_t at) const;

 private:
  const Value& element(std::size_t at) const;
  Value::Array elements_;
  Type type_ = Type::kHello;
};

/// One message: its type, elements, and as its end `tail`, encoded already.
std::string encode(Type type, Value::Array elements, std::string_view tail = {});
/// The arguments as a message's tail: nothing, ",ARGS" or ",ARGS,KWARGS".
std::string tail_of(const Value& args, const Value& kwargs);
void send(Peer peer, std::string text, Actions& out);
void send_error(Peer peer, Type of, Id request, std::string_view error, std::string_view why,
                Actions& out);

/// Whether it can name a topic or a procedure: no space, no #, no empty part (but in a wildcard).
bool is_uri(std::string_view uri, bool may_have_empty_parts = false);

}  // namespace eole::gateway::wamp
