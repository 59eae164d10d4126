#include "gateway/core/http/multipart.hpp"

#include <algorithm>

#include "common/base/planted.hpp"
#include "common/base/text.hpp"
#include "common/base/utf8.hpp"
#include "gateway/core/http/letters.hpp"
#include "gateway/core/http/request.hpp"

namespace eole::gateway::http {

namespace {

constexpr std::string_view kLineEnd = "\r\n";

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// RFC 9110, section 5.6.2.
bool is_token(std::string_view text) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= '0' && c <= '9') || is_letter(c) ||
           kMarks.find(c) != std::string_view::npos;
  });
}

// Up to the closing quote; takes it, too. A backslash is meant before a quote or a backslash only:
// some send a path of Windows as it is.
std::optional<std::string> take_quoted(std::string_view& rest) {
  std::string out;
  for (std::size_t i = 1; i < rest.size(); ++i) {
    if (rest[i] == '"') {
      rest.remove_prefix(i + 1);
      return out;
    }
    if (rest[i] == '\\' && i + 1 < rest.size() && (rest[i + 1] == '"' || rest[i + 1] == '\\')) ++i;
    out += rest[i];
  }
  return {};
}

// How browsers write what would end the quoted text.
std::string without_browsers_escapes(std::string text) {
  constexpr std::pair<std::string_view, char> kEscapes[] = {
      {"%22", '"'}, {"%0D", '\r'}, {"%0A", '\n'}};
  for (const auto& [escape, letter] : kEscapes)
    for (auto at = text.find(escape); at != std::string::npos; at = text.find(escape, at + 1))
      text.replace(at, escape.size(), 1, letter);
  return text;
}

// RFC 8187: UTF-8''na%C3%AFve. Only this charset: it is the one that senders must use.
std::optional<std::string> extended(std::string_view written) {
  const auto charset = written.find('\'');
  const auto language =
      charset == std::string_view::npos ? charset : written.find('\'', charset + 1);
  if (language == std::string_view::npos || lower(written.substr(0, charset)) != "utf-8") return {};
  auto out = percent_decode(written.substr(language + 1), false);
  return out && is_utf8(*out) ? out : std::nullopt;
}

Expected<PartHead> disposition(std::string_view written) {
  const auto field = split_field(written);
  if (!field) return Error{text("Content-Disposition of a part: ", field.error().message)};
  if (field->value != "form-data")
    return Error{text("Content-Disposition of a part: wanted is form-data, not ", field->value)};
  const auto* name = field->parameter("name");
  if (name == nullptr) return Error{"Content-Disposition of a part: has no name"};
  PartHead head{without_browsers_escapes(*name)};
  if (const auto* file = field->parameter("filename"))
    head.file_name = without_browsers_escapes(*file);
  if (const auto* file = field->parameter("filename*")) {
    head.file_name = extended(*file);
    if (!head.file_name)
      return Error{text("Content-Disposition of a part: filename*=", *file, ": is no UTF-8''…")};
  }
  return head;
}

Expected<PartHead> parse_head(std::string_view lines) {
  std::optional<PartHead> head;
  std::string content_type;
  while (!lines.empty()) {
    const auto end = lines.find(kLineEnd);
    const auto line = lines.substr(0, end);
    lines.remove_prefix(end + kLineEnd.size());
    const auto colon = line.find(':');
    const auto name = lower(line.substr(0, colon));
    if (colon == std::string_view::npos || !is_token(name))
      return Error{"the head of a part has a line that is no field"};
    const auto value = trimmed(line.substr(colon + 1));
    if (value.find_first_of(std::string_view("\0\r\n", 3)) != std::string_view::npos)
      return Error{text("the head of a part: ", name, " has a control character")};
    if (name == "content-disposition") {
      if (head) return Error{"a part has two fields Content-Disposition"};
      auto said = disposition(value);
      if (!said) return said.error();
      head = std::move(*said);
    } else if (name == "content-type") {
      content_type = value;
    } else if (name == "content-transfer-encoding") {
      const auto encoding = lower(value);
      if (encoding != "binary" && encoding != "8bit" && encoding != "7bit")
        return Error{text("Content-Transfer-Encoding of a part: ", value, ": is not taken")};
    }
  }
  if (!head) return Error{"a part has no Content-Disposition"};
  head->content_type = std::move(content_type);
  return std::move(*head);
}

bool is_boundary(std::string_view text) {
  constexpr std::string_view kMarks = "'()+_,-./:=? ";
  return !text.empty() && text.size() <= kBoundaryBytesMax && text.back() != ' ' &&
         std::all_of(text.begin(), text.end(), [&](char c) {
           return (c >= '0' && c <= '9') || is_letter(c) ||
                  kMarks.find(c) != std::string_view::npos;
         });
}

}  // namespace

const std::string* FieldValue::parameter(std::string_view name) const {
  for (const auto& parameter : parameters)
    if (parameter.name == name) return &parameter.value;
  return nullptr;
}

Expected<FieldValue> split_field(std::string_view written) {
  const auto semicolon = written.find(';');
  FieldValue out{lower(trimmed(written.substr(0, semicolon)))};
  auto rest = semicolon == std::string_view::npos ? "" : written.substr(semicolon);
  while (!(rest = trimmed(rest)).empty()) {
    if (rest.front() != ';') return Error{"parameters are separated by semicolons"};
    rest = trimmed(rest.substr(1));
    if (rest.empty()) break;  // One at the end is common.
    const auto equals = rest.find('=');
    const auto name = lower(rest.substr(0, equals));
    if (equals == std::string_view::npos || !is_token(name))
      return Error{"a parameter is name=value or name=\"value\""};
    if (out.parameter(name) != nullptr)
      return Error{text("the parameter ", name, " is there twice")};
    rest.remove_prefix(equals + 1);
    if (rest.starts_with('"')) {
      auto value = take_quoted(rest);
      if (!value) return Error{text("the parameter ", name, " has no closing quote")};
      out.parameters.push_back({name, std::move(*value)});
    } else {
      const auto value = trimmed(rest.substr(0, rest.find(';')));
      rest.remove_prefix(std::min(rest.find(';'), rest.size()));
      out.parameters.push_back({name, std::string(value)});
    }
  }
  return out;
}

FormReader::FormReader(std::string_view boundary)
    : delimiter_(text("\r\n--", boundary)), buffer_(kLineEnd) {}

Expected<FormReader> FormReader::of(std::string_view content_type) {
  const auto field = split_field(content_type);
  if (!field) return Error{text("Content-Type: ", field.error().message)};
  if (field->value != "multipart/form-data")
    return Error{text("Content-Type: wanted is multipart/form-data, not ",
                      field->value.empty() ? "nothing" : field->value)};
  const auto* boundary = field->parameter("boundary");
  if (boundary == nullptr) return Error{"Content-Type: multipart/form-data without a boundary"};
  if (!is_boundary(*boundary))
    return Error{text("Content-Type: a boundary has 1 to ", kBoundaryBytesMax,
                      " letters, digits and '()+_,-./:=? and does not end with a space")};
  return FormReader(*boundary);
}

Expected<void> FormReader::feed(std::string_view bytes, std::vector<FormEvent>& out) {
  if (state_ == State::kWhole) return {};
  buffer_ += bytes;
  while (true) {
    const auto went_on = step(out);
    if (!went_on) return went_on.error();
    if (!*went_on) return {};
  }
}

Expected<bool> FormReader::step(std::vector<FormEvent>& out) {
  switch (state_) {
    case State::kBefore:
      return skip_to_boundary();
    case State::kBehindBoundary:
      return behind_boundary();
    case State::kHead:
      return read_head(out);
    case State::kBody:
      return read_body(out);
    case State::kWhole:
      break;
  }
  buffer_.clear();
  return false;
}

Expected<bool> FormReader::skip_to_boundary() {
  const auto at = buffer_.find(delimiter_);
  const bool is_there = at != std::string::npos;
  const auto kept = is_there ? at + delimiter_.size()
                             : buffer_.size() - std::min(buffer_.size(), delimiter_.size() - 1);
  skipped_ += is_there ? at : kept;
  if (skipped_ > kPartHeadBytesMax)
    return Error{text("over ", kPartHeadBytesMax, " bytes before the first boundary")};
  buffer_.erase(0, kept);
  if (is_there) state_ = State::kBehindBoundary;
  return is_there;
}

// Two dashes, or blanks and the line's end. Else the boundary was one of the bytes' own.
Expected<bool> FormReader::behind_boundary() {
  const auto at = buffer_.find_first_not_of(" \t");
  if (at == std::string::npos ? buffer_.size() > kPartHeadBytesMax : at > kPartHeadBytesMax)
    return Error{text("over ", kPartHeadBytesMax, " blanks behind a boundary")};
  if (at == std::string::npos || buffer_.size() < at + 2) return false;
  const auto two = std::string_view(buffer_).substr(at, 2);
  if (at == 0 && two == "--") {
    state_ = State::kWhole;
    buffer_.clear();
    return false;
  }
  if (two != kLineEnd)
    return Error{"a boundary is followed by neither two dashes nor the end of the line"};
  if (++parts_ > kFormPartsMax) return Error{text("more than ", kFormPartsMax, " parts")};
  buffer_.erase(0, at);  // The line's end stays: a head that is empty ends with it.
  state_ = State::kHead;
  return true;
}

Expected<bool> FormReader::read_head(std::vector<FormEvent>& out) {
  const auto end = buffer_.find("\r\n\r\n");
  const auto size = end == std::string::npos ? buffer_.size() : end;
  if (size > kPartHeadBytesMax + kLineEnd.size())
    return Error{text("a part's head of over ", kPartHeadBytesMax, " bytes")};
  if (end == std::string::npos) return false;
  auto head = parse_head(std::string_view(buffer_).substr(kLineEnd.size(), end));
  if (!head) return head.error();
  out.emplace_back(PartBegan{std::move(*head)});
  buffer_.erase(0, end + 2 * kLineEnd.size());
  state_ = State::kBody;
  return true;
}

bool FormReader::read_body(std::vector<FormEvent>& out) {
  const auto at = buffer_.find(delimiter_);
  const bool is_there = at != std::string::npos;
  // What may be the begin of a boundary waits for what follows it.
  const auto held = planted("boundary-cut-in-two") ? 0 : delimiter_.size() - 1;
  const auto taken = is_there ? at : buffer_.size() - std::min(buffer_.size(), held);
  if (taken > 0) out.emplace_back(PartPiece{buffer_.substr(0, taken)});
  buffer_.erase(0, is_there ? taken + delimiter_.size() : taken);
  if (!is_there) return false;
  out.emplace_back(PartEnded{});
  state_ = State::kBehindBoundary;
  return true;
}

}  // namespace eole::gateway::http
