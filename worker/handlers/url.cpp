#include "worker/handlers/url.hpp"

#include <algorithm>

#include "common/base/text.hpp"
#include "common/base/utf8.hpp"

namespace eole::worker {

namespace {

constexpr std::size_t kNameBytesMax = 255;  // Of a file name, on every usual file system.
constexpr std::size_t kExtensionBytesMax = 16;
constexpr std::size_t kToldBytesMax = 500;

char lower(char letter) {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

bool starts_alike(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() &&
         std::equal(prefix.begin(), prefix.end(), text.begin(),
                    [](char one, char other) { return lower(one) == lower(other); });
}

int hex_digit(char letter) {
  if (letter >= '0' && letter <= '9') return letter - '0';
  letter = lower(letter);
  return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

std::string percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = i + 2 < text.size() && text[i] == '%' ? hex_digit(text[i + 1]) : -1;
    const int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
    if (low >= 0) {
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string from_latin1(std::string_view text) {
  std::string out;
  for (const char letter : text) {
    const auto code = static_cast<unsigned char>(letter);
    if (code < 0x80) {
      out += letter;
    } else {
      out += static_cast<char>(0xc0 | code >> 6);
      out += static_cast<char>(0x80 | (code & 0x3f));
    }
  }
  return out;
}

// Without what deceives the eye; '?' for each byte that is not UTF-8.
std::string plain(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto [code, bytes, is_valid] = first_character(text);
    if (!is_valid) {
      out += '?';
    } else if (!is_control(code) && !turns_text(code)) {
      out += text.substr(0, bytes);
    }
    text.remove_prefix(bytes);
  }
  return out;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}


struct Parameter {
  std::string name;
  std::string value;
};

// The next of `; name=value; name="quoted \" value"`.
std::optional<Parameter> take_parameter(std::string_view& rest) {
  const auto start = rest.find(';');
  if (start == rest.npos) return std::nullopt;
  rest.remove_prefix(start + 1);
  const auto equals = rest.find_first_of("=;");
  if (equals == rest.npos || rest[equals] == ';') return Parameter{};
  Parameter found;
  for (const char letter : trimmed(rest.substr(0, equals))) found.name += lower(letter);
  rest.remove_prefix(equals + 1);
  rest = rest.substr(std::min(rest.size(), rest.find_first_not_of(" \t")));
  if (!rest.starts_with('"')) {
    found.value = trimmed(rest.substr(0, rest.find(';')));
    rest = rest.substr(std::min(rest.size(), rest.find(';')));
    return found;
  }
  std::size_t at = 1;
  for (; at < rest.size() && rest[at] != '"'; ++at) {
    if (rest[at] == '\\' && at + 1 < rest.size()) ++at;
    found.value += rest[at];
  }
  rest = rest.substr(std::min(rest.size(), at + 1));
  return found;
}

// charset'language'percent-encoded, as in filename*=UTF-8''r%C3%A9port.pdf.
std::optional<std::string> extended(std::string_view value) {
  const auto charset_end = value.find('\'');
  const auto language_end =
      charset_end == value.npos ? value.npos : value.find('\'', charset_end + 1);
  if (language_end == value.npos) return std::nullopt;
  const auto bytes = percent_decoded(value.substr(language_end + 1));
  const auto charset = value.substr(0, charset_end);
  if (charset_end == 5 && starts_alike(charset, "utf-8")) return bytes;
  if (charset_end == 10 && starts_alike(charset, "iso-8859-1")) return from_latin1(bytes);
  return std::nullopt;
}

}  // namespace

std::string tellable(std::string_view words) {
  auto told = plain(without_passwords(words));
  if (told.size() <= kToldBytesMax) return told;
  return text(cut_text(told, kToldBytesMax), "…");
}

std::string scheme_of(std::string_view url) {
  const auto end = url.find("://");
  std::string scheme;
  if (end != url.npos)
    for (const char letter : url.substr(0, end)) scheme += lower(letter);
  return scheme;
}

std::optional<std::string> safe_name(std::string_view name) {
  const auto segment = name.substr(name.find_last_of("/\\") + 1);  // npos + 1 is 0.
  const auto clean = plain(is_utf8(segment) ? std::string(segment) : from_latin1(segment));
  auto kept = trimmed(clean);
  while (!kept.empty() && (kept.front() == '.' || kept.front() == ' ')) kept.remove_prefix(1);
  while (!kept.empty() && (kept.back() == '.' || kept.back() == ' ')) kept.remove_suffix(1);
  if (kept.empty()) return std::nullopt;
  if (kept.size() <= kNameBytesMax) return std::string(kept);
  const auto dot = kept.rfind('.');
  const auto extension =
      dot != kept.npos && kept.size() - dot <= kExtensionBytesMax ? kept.substr(dot) : "";
  return text(cut_text(kept, kNameBytesMax - extension.size()), extension);
}

std::string name_in_url(std::string_view url) {
  const auto scheme = url.find("://");
  auto rest = scheme == url.npos ? url : url.substr(scheme + 3);
  rest = rest.substr(0, rest.find_first_of("?#"));
  rest.remove_prefix(login_bytes(rest));
  while (rest.ends_with('/')) rest.remove_suffix(1);
  const auto slash = rest.find('/');
  const auto segment =
      slash == rest.npos ? rest.substr(0, rest.find(':')) : rest.substr(rest.rfind('/') + 1);
  return safe_name(percent_decoded(segment)).value_or("download");
}

std::optional<std::string> name_in_disposition(std::string_view value) {
  std::optional<std::string> simple;
  while (auto parameter = take_parameter(value)) {
    if (parameter->name == "filename*") {
      if (const auto name = extended(parameter->value))
        if (auto safe = safe_name(*name)) return safe;
    } else if (parameter->name == "filename" && !simple) {
      simple = safe_name(parameter->value);
    }
  }
  return simple;
}

}  // namespace eole::worker
