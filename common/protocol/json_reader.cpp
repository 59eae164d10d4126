#include "common/protocol/json_reader.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <optional>

#include "common/base/base64.hpp"
#include "common/base/text.hpp"
#include "common/base/utf8.hpp"
#include "common/protocol/packer.hpp"

namespace eole::protocol {

namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
constexpr std::string_view kBlobName = "base64";
constexpr std::size_t kShownBytes = 40;
constexpr std::size_t kComparedOneByOne = 8;

// What stands for itself in a text.
constexpr auto kPlain = [] {
  std::array<bool, 256> plain{};
  for (std::size_t i = 0x20; i < 0x80; ++i) plain[i] = i != '"' && i != '\\';
  return plain;
}();

bool is_plain(char letter) { return kPlain[static_cast<unsigned char>(letter)]; }
bool is_digit(char letter) { return letter >= '0' && letter <= '9'; }

void put_utf8(std::string& out, std::uint32_t code) {
  const auto put = [&](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (code < 0x80) return put(code);
  if (code < 0x800) {
    put(0xC0 | code >> 6);
  } else if (code < 0x10000) {
    put(0xE0 | code >> 12);
    put(0x80 | (code >> 6 & 0x3F));
  } else {
    put(0xF0 | code >> 18);
    put(0x80 | (code >> 12 & 0x3F));
    put(0x80 | (code >> 6 & 0x3F));
  }
  put(0x80 | (code & 0x3F));
}

// How many there are is known behind them; so far a byte stands in its place.
void set_count(Bytes& out, std::size_t at, std::size_t count, bool is_map) {
  constexpr std::size_t kInOneByte = 16;
  if (count < kInOneByte) {
    out[at] = static_cast<char>((is_map ? 0x80U : 0x90U) | count);
    return;
  }
  Bytes header;
  PackSink sink{header};
  Packer packer(sink);
  if (is_map)
    packer.pack_map(static_cast<std::uint32_t>(count));
  else
    packer.pack_array(static_cast<std::uint32_t>(count));
  out.replace(at, 1, header);
}

}  // namespace

JsonReader::JsonReader(std::string_view json) : json_(json) {
  if (json.starts_with(kByteOrderMark)) at_ = kByteOrderMark.size();
}

bool JsonReader::fail(std::string why) {
  if (problem_.empty()) problem_ = std::move(why);
  return false;
}

bool JsonReader::fail_here() { return fail(eole::text("not valid JSON at byte ", at_ + 1)); }

char JsonReader::next() {
  while (at_ < json_.size()) {
    const char letter = json_[at_];
    if (letter != ' ' && letter != '\n' && letter != '\r' && letter != '\t') return letter;
    ++at_;
  }
  return 0;
}

bool JsonReader::take(char letter) {
  if (next() != letter) return fail_here();
  ++at_;
  if (letter == '}' || letter == ']') --depth_;
  return true;
}

bool JsonReader::enter(char bracket) {
  if (next() != bracket) return fail_here();
  if (depth_ == Value::kDepthMax)
    return fail(eole::text("JSON nested more than ", Value::kDepthMax, " deep"));
  ++depth_;
  return take(bracket);
}

// Behind an item: a comma, or the end.
bool JsonReader::separator(char end, bool& is_over) {
  is_over = next() == end;
  return is_over || take(',');
}

bool JsonReader::name(std::string_view& out) {
  if (next() != '"') return fail_here();
  if (!text(out)) return false;
  if (out.data() == scratch_.data()) out = spelled_out_.emplace_back(out);
  if (names_.capacity() == 0) names_.reserve(kComparedOneByOne);
  names_.push_back(out);
  return take(':');
}

bool JsonReader::are_different(std::size_t first) {
  const auto begin = names_.begin() + static_cast<std::ptrdiff_t>(first);
  const auto count = names_.size() - first;
  auto twice = names_.end();
  if (count <= kComparedOneByOne) {
    for (auto one = begin; one != names_.end() && twice == names_.end(); ++one)
      twice = std::find(one + 1, names_.end(), *one);
  } else {
    std::sort(begin, names_.end());
    twice = std::adjacent_find(begin, names_.end());
  }
  if (twice != names_.end())
    return fail(eole::text("member ", cut_text(*twice, kShownBytes), " twice"));
  names_.resize(first);
  if (names_.empty()) spelled_out_.clear();
  return true;
}

bool JsonReader::end() {
  if (!problem_.empty()) return false;
  next();
  return at_ == json_.size() || fail_here();
}

// At a quote. A view into the JSON, or of what is written with escapes: until the next text.
bool JsonReader::text(std::string_view& out) {
  const auto first = ++at_;
  while (at_ < json_.size() && is_plain(json_[at_])) ++at_;
  out = json_.substr(first, at_ - first);
  if (at_ < json_.size() && json_[at_] == '"') {
    ++at_;
    return true;
  }
  return rest_of_text(out);
}

bool JsonReader::rest_of_text(std::string_view& out) {
  scratch_ = out;
  while (at_ < json_.size()) {
    const auto first = at_;
    while (at_ < json_.size() && is_plain(json_[at_])) ++at_;
    scratch_ += json_.substr(first, at_ - first);
    if (at_ == json_.size()) break;
    if (json_[at_] == '"') {
      ++at_;
      out = scratch_;
      return true;
    }
    if (json_[at_] == '\\') {
      if (!escape()) return false;
      continue;
    }
    const auto character = first_character(json_.substr(at_));
    if (!character.is_valid || character.code < 0x20) break;
    scratch_ += json_.substr(at_, character.bytes);
    at_ += character.bytes;
  }
  return fail_here();
}

bool JsonReader::escape() {
  constexpr std::string_view kNames = "\"\\/bfnrt";
  constexpr std::string_view kMeant = "\"\\/\b\f\n\r\t";
  if (++at_ == json_.size()) return fail_here();
  if (const auto known = kNames.find(json_[at_]); known != std::string_view::npos) {
    scratch_ += kMeant[known];
    ++at_;
    return true;
  }
  std::uint32_t code = 0;
  if (json_[at_] != 'u' || !code_unit(code)) return fail_here();
  if (code >= 0xDC00 && code < 0xE000) return fail_here();
  if (code >= 0xD800 && code < 0xDC00) {  // The first half of a character beyond 16 bits.
    std::uint32_t second = 0;
    if (!json_.substr(at_).starts_with("\\u")) return fail_here();
    ++at_;
    if (!code_unit(second) || second < 0xDC00 || second > 0xDFFF) return fail_here();
    code = 0x10000 + ((code - 0xD800) << 10) + (second - 0xDC00);
  }
  put_utf8(scratch_, code);
  return true;
}

// At the u.
bool JsonReader::code_unit(std::uint32_t& unit) {
  const auto letters = json_.substr(at_ + 1, 4);
  const auto* end = letters.data() + letters.size();
  const auto read = std::from_chars(letters.data(), end, unit, 16);
  if (letters.size() < 4 || read.ec != std::errc() || read.ptr != end) return false;
  at_ += 5;
  return true;
}

bool JsonReader::word(std::string_view written) {
  for (const char letter : written) {
    if (at_ == json_.size() || json_[at_] != letter) return fail_here();
    ++at_;
  }
  return true;
}

bool JsonReader::digits() {
  const auto first = at_;
  while (at_ < json_.size() && is_digit(json_[at_])) ++at_;
  return at_ > first || fail_here();
}

bool JsonReader::scan_number(Number& out) {
  const auto first = at_;
  const auto is_next = [&](std::string_view any) {
    return at_ < json_.size() && any.find(json_[at_]) != std::string_view::npos;
  };
  if (is_next("-")) ++at_;
  if (is_next("0"))
    ++at_;
  else if (!digits())
    return false;
  if (is_next(".")) {
    ++at_;
    out.is_whole = false;
    if (!digits()) return false;
  }
  if (is_next("eE")) {
    ++at_;
    out.is_whole = false;
    if (is_next("+-")) ++at_;
    if (!digits()) return false;
  }
  out.written = json_.substr(first, at_ - first);
  return true;
}

bool JsonReader::number(Value& out) {
  Number number;
  if (!scan_number(number)) return false;
  const auto written = number.written;
  const auto* end = written.data() + written.size();
  const auto fits = [&](auto& value) {
    if (std::from_chars(written.data(), end, value).ec != std::errc()) return false;
    out = value;
    return true;
  };
  if (number.is_whole) {
    std::int64_t small = 0;
    std::uint64_t large = 0;
    return fits(small) || fits(large) ||
           fail(eole::text("integer ", written.substr(0, kShownBytes), ": limits are ", INT64_MIN,
                           " and ", UINT64_MAX));
  }
  double real = 0;
  if (fits(real) && std::isfinite(real)) return true;
  real = std::strtod(std::string(written).c_str(), nullptr);  // Too small: zero, or nearly.
  out = real;
  return std::isfinite(real) || fail(eole::text("number ", written.substr(0, kShownBytes),
                                                ": no float of 64 bits holds it"));
}

bool JsonReader::read(Value& value) {
  std::string_view written;
  switch (next()) {
    case '{': {
      Value::Map members;
      const bool is_sound = object([&](std::string_view member) {
        members.emplace_back(member, Value());
        return read(members.back().second);
      });
      if (!is_sound) return false;
      if (members.size() == 1 && members[0].first == kBlobName)
        if (const auto* letters = members[0].second.as<std::string>())
          if (auto bytes = from_base64(*letters)) {
            value = Blob{std::move(*bytes)};
            return true;
          }
      value = std::move(members);
      return true;
    }
    case '[': {
      Value::Array items;
      if (!array([&] { return read(items.emplace_back()); })) return false;
      value = std::move(items);
      return true;
    }
    case '"':
      if (!text(written)) return false;
      value = written;
      return true;
    case 't':
      value = true;
      return word("true");
    case 'f':
      value = false;
      return word("false");
    case 'n':
      value = Value();
      return word("null");
    default:
      return number(value);
  }
}

bool JsonReader::pack(Bytes& out) {
  std::string_view written;
  switch (next()) {
    case '{':
      return pack_object(out);
    case '[':
      return pack_array(out);
    case '"': {
      if (!text(written)) return false;
      PackSink sink{out};
      Packer packer(sink);
      pack_text(packer, written);
      return true;
    }
    case 't':
      out += '\xc3';
      return word("true");
    case 'f':
      out += '\xc2';
      return word("false");
    case 'n':
      out += '\xc0';
      return word("null");
    default:
      return pack_number(out);
  }
}

bool JsonReader::pack_number(Bytes& out) {
  PackSink sink{out};
  Packer packer(sink);
  Value value;
  if (!number(value)) return false;
  if (const auto* small = value.as<std::int64_t>())
    packer.pack_int64(*small);
  else if (const auto* large = value.as<std::uint64_t>())
    packer.pack_uint64(*large);
  else
    pack_real(packer, *value.as<double>());
  return true;
}

bool JsonReader::pack_object(Bytes& out) {
  const auto at = out.size();
  out += '\0';
  PackSink sink{out};
  Packer packer(sink);
  std::size_t count = 0;
  std::optional<Bytes> bytes;  // If it is what stands for some.
  const bool is_sound = object([&](std::string_view member) {
    pack_text(packer, member);
    if (++count > 1 || member != kBlobName || next() != '"') return pack(out);
    std::string_view letters;
    if (!text(letters)) return false;
    bytes = from_base64(letters);
    pack_text(packer, letters);
    return true;
  });
  if (!is_sound) return false;
  if (count == 1 && bytes) {
    out.resize(at);
    pack_bytes(packer, *bytes);
  } else {
    set_count(out, at, count, true);
  }
  return true;
}

bool JsonReader::pack_array(Bytes& out) {
  const auto at = out.size();
  out += '\0';
  std::size_t count = 0;
  if (!array([&] { return ++count, pack(out); })) return false;
  set_count(out, at, count, false);
  return true;
}

}  // namespace eole::protocol
