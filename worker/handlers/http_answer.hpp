#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// What the head of an HTTP answer means for a download. Pure: decides, fetches nothing.
namespace eole::worker {

/// One version of a source, and so of every byte of a part.
struct Version {
  std::string validator;               // Strong (RFC 9110); empty: none, so no resuming.
  std::optional<std::uint64_t> total;  // Bytes; nothing: not known (yet).
  std::string encoding;                // Content-Encoding: the bytes are kept as they are sent.
  std::string name;                    // Of its Content-Disposition, made safe.
  std::string sha256;                  // Of all of it, as its server says; empty: not said.
  bool operator==(const Version&) const = default;
};

struct ContentRange {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  std::optional<std::uint64_t> total;
  bool operator==(const ContentRange&) const = default;
};

/// "bytes 5-9/10" or "bytes 5-9/*"; nothing for what is no such range.
std::optional<ContentRange> read_content_range(std::string_view value);
/// Unix seconds of "Sun, 06 Nov 1994 08:49:37 GMT"; nothing for what is written otherwise.
std::optional<std::int64_t> read_http_date(std::string_view value);

/// The SHA-256, in hexadecimal, of a Repr-Digest ("sha-256=:…:", RFC 9530) or Digest header
/// ("SHA-256=…", RFC 3230); empty if it tells none.
std::string read_digest(std::string_view value);

/// The head of an answer as its lines come.
class Answer {
 public:
  /// One header line, or a status line: then all before it was of a redirect or an interim answer.
  void add(std::string_view line);

  int status() const { return status_; }
  /// Seconds that the server asks to wait. `now`: Unix seconds, if it gives a date but none of its
  /// own.
  std::optional<std::int64_t> retry_after(std::int64_t now) const;

 private:
  friend struct Judgement;
  void take(std::string_view name, std::string_view value);
  std::string strong_validator() const;
  struct Field {
    std::string value;
    bool is_there = false;
    bool is_twice = false;  // With another value.
    void set(std::string_view text);
  };
  int status_ = 0;
  bool is_framed_by_protocol_ = false;  // HTTP/2 and later say where a body ends.
  Field etag_, last_modified_, date_, range_, length_, encoding_, transfer_, disposition_,
      retry_after_, accept_ranges_, repr_digest_, digest_;
};

/// Whether the body of an answer of 200 or 206 can be taken, and as what.
struct Judgement {
  std::string refusal;               // Why it cannot; empty: it can.
  std::uint64_t from = 0;            // Where its first byte belongs.
  std::optional<std::uint64_t> end;  // Behind its last byte; nothing: told by its frames.
  Version version;
  bool is_framed = false;     // Its end can be told from a connection that broke.
  bool takes_ranges = false;  // The server says that it answers with parts.

  /// `asked_from`: where the stretch of `part` that was asked for begins; nothing: all was.
  static Judgement of(const Answer& answer, std::optional<std::uint64_t> asked_from,
                      const Version& part);
};

}  // namespace eole::worker
