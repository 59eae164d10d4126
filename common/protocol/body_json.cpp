#include "common/protocol/body_json.hpp"

#include <algorithm>

#include "common/protocol/packer.hpp"
#include "common/protocol/result_view.hpp"
#include "common/protocol/value.hpp"

namespace eole::protocol {

namespace {

// Writes what comes, and counts how deep it is.
struct JsonVisitor : msgpack::null_visitor {
  explicit JsonVisitor(std::string& place) : out(place) {}
  bool put(std::string_view json) { return out += json, true; }
  bool visit_nil() { return put("null"); }
  bool visit_boolean(bool value) { return put(value ? "true" : "false"); }
  bool visit_positive_integer(std::uint64_t value) { return put(std::to_string(value)); }
  bool visit_negative_integer(std::int64_t value) { return put(std::to_string(value)); }
  bool visit_float32(float value) { return visit_float64(value); }
  bool visit_float64(double value) { return put(Value(value).to_json()); }
  bool visit_str(const char* text, std::uint32_t size) {
    if (is_in_key && depth == 1) is_left_out = is_of_the_record({text, size});
    has_text_key = true;
    return put_json(out, {text, size}), true;
  }
  bool visit_bin(const char* bytes, std::uint32_t size) {
    return put(Value(Blob{{bytes, size}}).to_json());
  }
  bool visit_ext(const char*, std::uint32_t) { return false; }
  bool start_array(std::uint32_t) { return start('['); }
  bool start_array_item() { return next(); }
  bool end_array() { return end(']'); }
  bool start_map(std::uint32_t) { return is_in_key ? false : start('{'); }
  bool start_map_key() {
    member_at = depth == 1 ? out.size() : member_at;
    is_in_key = true;
    has_text_key = false;
    return next();
  }
  bool end_map_key() { return is_in_key = false, put(":") && has_text_key; }
  bool end_map_value() {
    if (depth == 1 && is_left_out) out.resize(member_at);
    return true;
  }
  bool end_map() { return end('}'); }
  // Behind the bracket nothing stands between.
  bool next() {
    if (out.back() != '[' && out.back() != '{') out += ',';
    return true;
  }
  bool start(char bracket) { return out += bracket, !is_in_key && ++depth <= Value::kDepthMax + 4; }
  bool end(char bracket) { return out += bracket, --depth, true; }
  void parse_error(std::size_t, std::size_t) {}
  void insufficient_bytes(std::size_t, std::size_t) {}

  std::string& out;
  int depth = 0;
  bool is_in_key = false;
  bool has_text_key = false;
  bool is_left_out = false;
  std::size_t member_at = 0;
};

}  // namespace

void put_json(std::string& out, std::string_view text) {
  const auto is_plain = [](char raw) {
    const auto byte = static_cast<unsigned char>(raw);
    return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
  };
  if (!std::all_of(text.begin(), text.end(), is_plain)) {
    out += Value(text).to_json();
    return;
  }
  out += '"';
  out += text;
  out += '"';
}

void put_body_json(std::string& out, std::string_view body) {
  std::string members;
  JsonVisitor visitor(members);
  std::size_t end = 0;
  const bool is_map = msgpack::parse(body.data(), body.size(), end, visitor) &&
                      end == body.size() && members.starts_with('{');
  if (!is_map) {  // Nothing is hidden because it cannot be read.
    out += R"(,"body":)" + Value(Blob{std::string(body)}).to_json();
  } else if (members.size() > 2) {
    out.append(",").append(members, 1, members.size() - 2);
  }
}

}  // namespace eole::protocol
