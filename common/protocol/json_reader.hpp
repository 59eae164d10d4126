#pragma once
#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/base/expected.hpp"
#include "common/protocol/value.hpp"

namespace eole::protocol {

/// Reads JSON (RFC 8259), hostile, from its first byte to its last: as values, or as the msgpack
/// that these would be, without making them. Errors: not JSON, deeper than Value::kDepthMax, a
/// member twice, a number that 64 bits do not hold. Behind the first one nothing makes sense any
/// more.
class JsonReader {
 public:
  /// The text outlives it.
  explicit JsonReader(std::string_view json);

  /// What stands here begins with this: '{', '[', '"' …; zero: nothing is left.
  char next();
  /// `on_member(name)` reads the value of each member, and is false if it cannot. False: an error
  /// is in it, or it is no object.
  template <class OnMember>
  bool object(OnMember on_member);
  template <class OnItem>
  bool array(OnItem on_item);
  bool read(Value& value);
  bool pack(Bytes& msgpack);
  /// Nothing follows what was read, and all was sound.
  bool end();
  bool is_sound() const { return problem_.empty(); }
  /// Why it is not.
  Error error() const { return {problem_}; }

 private:
  struct Number {
    std::string_view written;
    bool is_whole = true;
  };
  bool fail(std::string why);
  bool fail_here();
  bool enter(char bracket);
  bool take(char letter);
  bool separator(char end, bool& is_over);
  bool name(std::string_view& out);
  bool are_different(std::size_t first);
  bool text(std::string_view& out);
  bool rest_of_text(std::string_view& out);
  bool escape();
  bool code_unit(std::uint32_t& unit);
  bool word(std::string_view written);
  bool scan_number(Number& out);
  bool number(Value& out);
  bool pack_number(Bytes& out);
  bool digits();
  bool pack_object(Bytes& out);
  bool pack_array(Bytes& out);

  std::string_view json_;
  std::size_t at_ = 0;
  int depth_ = 0;
  std::string problem_;
  std::string scratch_;                  // A text that has escapes, or more than ASCII.
  std::vector<std::string_view> names_;  // Of the objects that are open.
  std::list<std::string> spelled_out_;   // Those of them that were in scratch_.
};

template <class OnMember>
bool JsonReader::object(OnMember on_member) {
  if (!enter('{')) return false;
  const auto first = names_.size();
  for (bool is_over = next() == '}'; !is_over;) {
    std::string_view written;
    if (!name(written) || !on_member(written) || !separator('}', is_over)) return false;
  }
  return take('}') && are_different(first);
}

template <class OnItem>
bool JsonReader::array(OnItem on_item) {
  if (!enter('[')) return false;
  for (bool is_over = next() == ']'; !is_over;)
    if (!on_item() || !separator(']', is_over)) return false;
  return take(']');
}

}  // namespace eole::protocol
