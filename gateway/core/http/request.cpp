#include "gateway/core/http/request.hpp"

#include <algorithm>

#include "common/base/text.hpp"
#include "common/base/utf8.hpp"

namespace eole::gateway::http {

std::string_view Request::field(std::string_view name) const {
  for (const auto& field : fields)
    if (field.name == name) return field.value;
  return {};
}

std::optional<std::string> Request::option(std::string_view name) const {
  for (const auto& [key, value] : query)
    if (key == name) return value;
  return {};
}

namespace {

int hex_digit(char letter) {
  if (letter >= '0' && letter <= '9') return letter - '0';
  if (letter >= 'a' && letter <= 'f') return letter - 'a' + 10;
  if (letter >= 'A' && letter <= 'F') return letter - 'A' + 10;
  return -1;
}

bool is_text(std::string_view text) {
  return is_utf8(text) && text.find('\0') == std::string_view::npos;
}

Expected<std::string> decoded(std::string_view written, bool plus_is_space) {
  auto out = percent_decode(written, plus_is_space);
  if (!out) return Error{text("target: ", written, ": a % is followed by two hexadecimal letters")};
  if (!is_text(*out)) return Error{text("target: ", written, ": is not UTF-8 text")};
  return std::move(*out);
}

// Hears what stands between separators.
Expected<void> split(std::string_view all, char separator, auto&& on_part) {
  while (true) {
    const auto end = all.find(separator);
    if (auto taken = on_part(all.substr(0, end)); !taken) return taken;
    if (end == std::string_view::npos) return {};
    all.remove_prefix(end + 1);
  }
}

}  // namespace

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
      if (high < 0 || low < 0) return {};
      out += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return out;
}

Expected<void> split_target(Request& request) {
  std::string_view target = request.target;
  if (target == "*") return {};
  if (!target.starts_with('/')) return Error{text("target: ", target, ": begins with no /")};
  const auto mark = target.find('?');
  const auto path = target.substr(1, mark == std::string_view::npos ? mark : mark - 1);
  auto split_path = split(path, '/', [&](std::string_view part) -> Expected<void> {
    auto segment = decoded(part, false);
    if (!segment) return segment.error();
    auto named = split(*segment, '/', [&](std::string_view name) -> Expected<void> {
      if (name == "." || name == "..")
        return Error{text("target: ", target, ": leads out of its path")};
      return {};
    });
    if (!named) return named;
    request.segments.push_back(std::move(*segment));
    return {};
  });
  if (!split_path) return split_path;
  if (request.segments == std::vector<std::string>{""}) request.segments.clear();
  if (mark == std::string_view::npos || mark + 1 == target.size()) return {};
  return split(target.substr(mark + 1), '&', [&](std::string_view part) -> Expected<void> {
    if (part.empty()) return {};
    const auto equals = part.find('=');
    auto name = decoded(part.substr(0, equals), true);
    if (!name) return name.error();
    auto value = decoded(
        equals == std::string_view::npos ? std::string_view() : part.substr(equals + 1), true);
    if (!value) return value.error();
    request.query.emplace_back(std::move(*name), std::move(*value));
    return {};
  });
}

std::string_view phrase_of(int status) {
  switch (status) {
    case 100:
      return "Continue";
    case 101:
      return "Switching Protocols";
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 411:
      return "Length Required";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 416:
      return "Range Not Satisfiable";
    case 417:
      return "Expectation Failed";
    case 421:
      return "Misdirected Request";
    case 422:
      return "Unprocessable Content";
    case 423:
      return "Locked";
    case 426:
      return "Upgrade Required";
    case 428:
      return "Precondition Required";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 460:
      return "Checksum Mismatch";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    case 507:
      return "Insufficient Storage";
    default:
      return "Unknown";
  }
}

std::string encode_head(const Response& response, std::optional<std::uint64_t> length,
                        bool keeps_alive, bool knows_chunks) {
  constexpr std::size_t kUsualBytes = 256;
  std::string head;
  head.reserve(kUsualBytes + response.body.size());
  const auto put = [&](auto... parts) { (head.append(parts), ...); };
  put("HTTP/1.1 ", std::to_string(response.status), " ", phrase_of(response.status), "\r\n");
  for (const auto& field : response.fields) {
    put(std::string_view(field.name), ": ");
    // Nothing that a value has can be a field of its own.
    for (const char letter : field.value) head += letter == '\r' || letter == '\n' ? ' ' : letter;
    put("\r\n");
  }
  const bool has_no_body =
      response.status < 200 || response.status == 204 || response.status == 304;
  if (!has_no_body && length)
    put("Content-Length: ", std::to_string(*length), "\r\n");
  else if (!has_no_body && knows_chunks)
    put("Transfer-Encoding: chunked\r\n");
  if (!keeps_alive) put("Connection: close\r\n");
  put("\r\n");
  return head;
}

}  // namespace eole::gateway::http
