#include "common/base/shown.hpp"

#include <array>
#include <cstdio>

#include "common/base/utf8.hpp"

namespace eole {

namespace {

constexpr std::size_t kFileNameMax = 255;
constexpr std::size_t kEndingMax = 16;  // ".tar.gz" is one; longer ones are part of the name.

template <class... Numbers>
std::string formatted(const char* format, Numbers... numbers) {
  std::array<char, 24> out{};
  std::snprintf(out.data(), out.size(), format, numbers...);
  return out.data();
}

}  // namespace

std::string shown(std::string_view written, Keep keep) {
  std::string out;
  out.reserve(written.size());
  while (!written.empty()) {
    const auto character = first_character(written);
    const auto code = character.code;
    const bool is_kept = keep == Keep::kLines && (code == '\n' || code == '\t');
    if (!character.is_valid || (is_control(code) && code < 0x80 && !is_kept)) {
      out += formatted("\\x%02x", code);
    } else if ((is_control(code) && !is_kept) || turns_text(code)) {
      out += formatted("\\u{%x}", code);
    } else {
      out += written.substr(0, character.bytes);
    }
    written.remove_prefix(character.bytes);
  }
  return out;
}

std::string shown_json(std::string json) {
  const auto is_plain = [](char raw) {
    const auto byte = static_cast<unsigned char>(raw);
    return byte >= 0x20 && byte < 0x7f;
  };
  std::size_t at = 0;
  while (at < json.size() && is_plain(json[at])) ++at;
  if (at == json.size()) return json;
  auto out = json.substr(0, at);
  for (auto rest = std::string_view(json).substr(at); !rest.empty();) {
    const auto character = first_character(rest);
    const auto code = character.code;
    if ((code >= 0x7f && is_control(code)) || turns_text(code)) {
      out += formatted("\\u%04x", code);
    } else {
      out += rest.substr(0, character.bytes);
    }
    rest.remove_prefix(character.bytes);
  }
  return out;
}

std::string file_name(std::string_view name) {
  std::string out;
  for (auto rest = name; !rest.empty();) {
    const auto character = first_character(rest);
    const auto code = character.code;
    const bool is_bad = !character.is_valid || is_control(code) || turns_text(code) || code == '/';
    out += is_bad ? "_" : rest.substr(0, character.bytes);
    rest.remove_prefix(character.bytes);
  }
  if (out.size() > kFileNameMax) {
    const auto dot = out.rfind('.');
    const bool has_ending = dot != std::string::npos && dot > 0 && out.size() - dot <= kEndingMax;
    const auto ending = has_ending ? out.substr(dot) : "";
    auto end = kFileNameMax - ending.size();
    while ((static_cast<unsigned char>(out[end]) & 0xc0) == 0x80) --end;  // Between characters.
    out = out.substr(0, end) + ending;
  }
  return out.find_first_not_of("._ ") == std::string::npos ? "" : out;
}

std::string cut_to(std::string_view text, std::size_t columns) {
  std::size_t bytes = 0;
  for (std::size_t count = 0; bytes < text.size(); ++count) {
    const auto size = first_character(text.substr(bytes)).bytes;
    const bool is_last = bytes + size == text.size();
    if (count + 1 > columns || (count + 1 == columns && !is_last)) {
      if (columns == 0) return "";
      return std::string(text.substr(0, bytes)) + "…";
    }
    bytes += size;
  }
  return std::string(text);
}

}  // namespace eole
