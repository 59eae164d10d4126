#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace eole::gateway::http {

constexpr std::size_t kByteRangesMax = 16;  // Of one request.

/// Bytes of a file, the last one included.
struct ByteRange {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  std::uint64_t size() const { return last - first + 1; }
  bool operator==(const ByteRange&) const = default;
};

/// What a field Range wants of `size` bytes, in the order asked (RFC 9110, section 14). Empty:
/// nothing of it is there, 416. Nothing: all of it, since there is no such field, it makes no
/// sense, or it asks for more than the whole: over kByteRangesMax ranges, or the same bytes twice.
std::optional<std::vector<ByteRange>> wanted_ranges(std::string_view range, std::uint64_t size);

/// Whether a field If-Range lets the range count. A date never does: an artifact has none.
bool if_range_holds(std::string_view if_range, std::string_view etag);
/// Whether a list of entity tags, or *, names it (If-None-Match, If-Match).
bool names_etag(std::string_view list, std::string_view etag);

/// "bytes 0-99/1000"; without a range "bytes */1000", as 416 says it.
std::string content_range(const std::optional<ByteRange>& range, std::uint64_t size);

/// The framing of several ranges in one body, multipart/byteranges: before each range its head,
/// and an end.
struct RangeFrames {
  std::string boundary;      // Must not be among the bytes.
  std::string content_type;  // Of the file.
  std::uint64_t size = 0;    // Of the file.

  std::string head(const ByteRange& range) const;
  std::string end() const;
  /// Of the whole body.
  std::uint64_t length(const std::vector<ByteRange>& ranges) const;
};

}  // namespace eole::gateway::http
