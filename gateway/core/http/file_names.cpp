#include "gateway/core/http/file_names.hpp"

#include <algorithm>
#include <array>

#include "common/base/text.hpp"
#include "common/base/utf8.hpp"

namespace eole::gateway::http {

namespace {

using namespace std::string_view_literals;

constexpr std::size_t kEndingBytesMax = 16;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Of Windows, whatever follows a dot, or spaces and a dot.
bool is_device(std::string_view name) {
  std::string stem(name.substr(0, name.find('.')));
  stem.erase(stem.find_last_not_of(' ') + 1);
  std::transform(stem.begin(), stem.end(), stem.begin(),
                 [](char c) { return is_letter(c) ? static_cast<char>(c & ~0x20) : c; });
  if (stem.size() == 4 && (stem.starts_with("COM") || stem.starts_with("LPT")))
    return is_digit(stem[3]) && stem[3] != '0';
  return stem == "CON" || stem == "PRN" || stem == "AUX" || stem == "NUL";
}

std::string trimmed(std::string name) {
  const auto first = name.find_first_not_of(". ");
  if (first == std::string::npos) return {};
  return name.substr(first, name.find_last_not_of(". ") - first + 1);
}

// Its ending stays.
std::string cut_name(const std::string& name, std::size_t bytes_max) {
  if (name.size() <= bytes_max) return name;
  const auto parts = name_parts(name);
  return trimmed(text(cut_text(parts.stem, bytes_max - parts.ending.size()), parts.ending));
}

struct Mark {
  std::size_t at;
  std::string_view bytes;
  std::string_view type;
};
// What a browser may show as it is: nothing that runs scripts.
constexpr Mark kMarks[] = {
    {0, "\xff\xd8\xff"sv, "image/jpeg"}, {0, "\x89PNG\r\n\x1a\n"sv, "image/png"},
    {0, "GIF87a"sv, "image/gif"},        {0, "GIF89a"sv, "image/gif"},
    {8, "WEBP"sv, "image/webp"},         {4, "ftypavif"sv, "image/avif"},
    {0, "II*\0"sv, "image/tiff"},        {0, "MM\0*"sv, "image/tiff"},
    {0, "%PDF-"sv, "application/pdf"},
};

// Two letters begin many a text: behind them are a size and four zeros.
bool is_bmp(std::string_view head) {
  return head.starts_with("BM") && head.size() >= 10 && head.substr(6, 4) == "\0\0\0\0"sv;
}

}  // namespace

std::string safe_file_name(std::string_view sent) {
  const auto slash = sent.find_last_of("/\\");
  auto rest = slash == std::string_view::npos ? sent : sent.substr(slash + 1);
  std::string name;
  while (!rest.empty()) {
    const auto character = first_character(rest);
    const bool is_taken = character.is_valid && !is_control(character.code) &&
                          !turns_text(character.code) &&
                          "<>:\"|?*"sv.find(rest.front()) == std::string_view::npos;
    name += is_taken ? rest.substr(0, character.bytes) : "_"sv;
    rest.remove_prefix(character.bytes);
  }
  name = cut_name(trimmed(std::move(name)), kFileNameBytesMax);
  if (is_device(name)) name = cut_name(text("_", name), kFileNameBytesMax);  // Also what is left.
  return name;
}

NameParts name_parts(std::string_view name) {
  const auto dot = name.rfind('.');
  if (dot == std::string_view::npos || dot == 0 || name.size() - dot > kEndingBytesMax)
    return {name, {}};
  return {name.substr(0, dot), name.substr(dot)};
}

std::string percent_encode(std::string_view text) {
  constexpr auto kHex = "0123456789ABCDEF"sv;
  std::string out;
  for (const char byte : text) {
    const auto value = static_cast<unsigned char>(byte);
    if (is_letter(byte) || is_digit(byte) || "-._~"sv.find(byte) != std::string_view::npos)
      out += byte;
    else
      out.append({'%', kHex[value >> 4], kHex[value & 15]});
  }
  return out;
}

std::string attachment(std::string_view name) {
  std::string plain;
  bool is_plain = true;
  for (auto rest = name; !rest.empty();) {
    const auto character = first_character(rest);
    const char byte = rest.front();
    const bool is_ascii = character.bytes == 1 && byte >= 0x20 && byte < 0x7f;
    is_plain = is_plain && is_ascii && byte != '%';  // Some readers decode it.
    if (is_ascii && (byte == '"' || byte == '\\')) plain += '\\';
    plain += is_ascii ? byte : '_';
    rest.remove_prefix(character.bytes);
  }
  auto field = text("attachment; filename=\"", plain, "\"");
  return is_plain ? field : text(field, "; filename*=UTF-8''", percent_encode(name));
}

std::string_view type_by_content(std::string_view head) {
  for (const auto& mark : kMarks)
    if (head.size() >= mark.at && head.substr(mark.at, mark.bytes.size()) == mark.bytes)
      return mark.type;
  return is_bmp(head) ? "image/bmp" : "application/octet-stream";
}

bool is_picture(std::string_view type) {
  return type.starts_with("image/") && type != "image/avif";
}

}  // namespace eole::gateway::http
