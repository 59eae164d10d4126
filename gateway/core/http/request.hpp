#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/expected.hpp"

namespace eole::gateway::http {

/// A field of a head; its name in lower case where it was read.
struct Field {
  std::string name;
  std::string value;
  bool operator==(const Field&) const = default;
};

/// The head of a request, whose framing is proven sound.
struct Request {
  std::string method;
  std::string target;  // As it was sent: origin form, or * of OPTIONS.
  std::vector<Field> fields;
  std::optional<std::uint64_t> length = 0;  // Of its body; nothing: it comes in chunks.
  bool knows_chunks = true;  // False of HTTP/1.0, whose connections have one request each.
  bool keeps_alive = true;
  bool expects_continue = false;

  /// Of the path, each decoded for itself: "/projects/acme%2Fx" has "projects" and "acme/x". None
  /// is a path of a disk.
  std::vector<std::string> segments = {};
  std::vector<std::pair<std::string, std::string>> query = {};  // Decoded, in the order given.

  /// A field's value by its lower-case name; empty: it has none.
  std::string_view field(std::string_view name) const;
  /// The first of the query's options of that name.
  std::optional<std::string> option(std::string_view name) const;
  bool has_body() const { return length != std::uint64_t{0}; }
};

/// Sets segments and query from the target. Errors: no path, a % that is no byte, a segment that
/// has ".." or "." between slashes, text that is not UTF-8 or has a zero byte.
Expected<void> split_target(Request& request);
/// "%41" is "A". Nothing: a % without two hexadecimal letters.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space);

struct Response {
  int status = 200;
  std::vector<Field> fields = {};
  std::string body = {};
};
/// "202 Accepted" for a status.
std::string_view phrase_of(int status);
/// The head, with its framing: Content-Length if the length is known, else chunks; to who does not
/// know these, the end of the connection.
std::string encode_head(const Response& response, std::optional<std::uint64_t> length,
                        bool keeps_alive, bool knows_chunks = true);

}  // namespace eole::gateway::http
