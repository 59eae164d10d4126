#include "gateway/core/wamp/message.hpp"

#include <utility>

#include "common/base/text.hpp"

namespace eole::gateway::wamp {

namespace {
const Value kNothing;
}

Message::Message(std::string_view json) {
  auto value = Value::from_json(json);
  if (!value) throw Violation(value.error().message);
  const auto* elements = value->as<Value::Array>();
  if (elements == nullptr || elements->empty()) throw Violation("a message is a list");
  elements_ = *elements;
  const auto number = elements_[0].int_or(-1);
  if (number < 0 || number > UINT8_MAX) throw Violation("a message begins with its type");
  type_ = static_cast<Type>(number);
}

const Value& Message::element(std::size_t at) const {
  if (at >= elements_.size())
    throw Violation(text("a message of type ", static_cast<int>(type_), " has more than ",
                         elements_.size(), " elements"));
  return elements_[at];
}

Id Message::id(std::size_t at) const {
  const auto number = element(at).int_or(-1);
  if (number < 1 || static_cast<Id>(number) > kLastId)
    throw Violation(text("element ", at, " is no id: 1 to ", kLastId));
  return static_cast<Id>(number);
}

const std::string& Message::uri(std::size_t at) const {
  const auto* uri = element(at).as<std::string>();
  if (uri == nullptr || uri->size() > kUriBytesMax)
    throw Violation(text("element ", at, " is no URI of at most ", kUriBytesMax, " bytes"));
  return *uri;
}

const Value& Message::map(std::size_t at) const {
  const auto& value = element(at);
  if (value.as<Value::Map>() == nullptr) throw Violation(text("element ", at, " is no map"));
  return value;
}

const Value& Message::args(std::size_t at) const {
  if (elements_.size() <= at) return kNothing;
  if (elements_[at].as<Value::Array>() == nullptr)
    throw Violation(text("element ", at, " is no list of arguments"));
  return elements_[at];
}

const Value& Message::kwargs(std::size_t at) const {
  return elements_.size() <= at ? kNothing : map(at);
}

std::string encode(Type type, Value::Array elements, std::string_view tail) {
  elements.insert(elements.begin(), Value(static_cast<int>(type)));
  auto json = Value(std::move(elements)).to_json();
  json.insert(json.size() - 1, tail);
  return json;
}

std::string tail_of(const Value& args, const Value& kwargs) {
  if (args.is_null() && kwargs.is_null()) return {};
  auto tail = text(",", args.is_null() ? "[]" : args.to_json());
  if (!kwargs.is_null()) tail += text(",", kwargs.to_json());
  return tail;
}

void send(Peer peer, std::string text, Actions& out) {
  out.push_back(Send{{peer}, std::make_shared<const std::string>(std::move(text))});
}

void send_error(Peer peer, Type of, Id request, std::string_view error, std::string_view why,
                Actions& out) {
  Value::Array elements{static_cast<int>(of), request, Value::Map{}, error};
  if (!why.empty()) elements.emplace_back(Value::Array{why});
  send(peer, encode(Type::kError, std::move(elements)), out);
}

bool is_uri(std::string_view uri, bool may_have_empty_parts) {
  if (uri.empty()) return may_have_empty_parts;
  if (uri.find_first_of(" \t\r\n#") != uri.npos) return false;
  if (may_have_empty_parts) return true;
  return uri.front() != '.' && uri.back() != '.' && uri.find("..") == uri.npos;
}

}  // namespace eole::gateway::wamp
