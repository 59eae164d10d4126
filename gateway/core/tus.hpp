#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/protocol/value.hpp"
#include "gateway/core/http/problem.hpp"
#include "gateway/core/http/request.hpp"

/// Uploads that go on where they broke off: the rules of tus 1.0.0 (https://tus.io), with creation,
/// creation-with-upload, creation-defer-length, checksum, termination, expiration and
/// concatenation. Pure: what a request wants of an upload, and what is answered; who calls has the
/// bytes.
namespace eole::gateway::tus {

constexpr std::uint64_t kUploadBytesMax = 1ULL << 40;    // Of one file.
constexpr std::size_t kMetadataBytesMax = 8 << 10;       // As it is sent.
constexpr std::size_t kUploadPartsMax = 64;              // That one upload is put together from.
constexpr std::int64_t kExpiresMs = 24 * 3600 * 1000LL;  // After its last byte came.

/// One upload, as it is kept.
struct Upload {
  std::string id;
  std::optional<std::uint64_t> length = {};  // Nothing: it is not said yet.
  std::uint64_t offset = 0;                  // So many bytes are there.
  std::string metadata = {};                 // As it was sent.
  bool is_partial = false;                   // A part of others, for itself nothing.
  std::vector<std::string> parts = {};       // The uploads that it was put together from.
  std::int64_t expires_unix_ms = 0;

  bool is_whole() const { return length == offset; }
  bool operator==(const Upload&) const = default;
};
/// What is kept of it beside its bytes: all but its id and offset.
protocol::Value to_value(const Upload& upload);
Upload from_value(std::string id, const protocol::Value& value);

/// "filename d29ybGQ=,is_confidential" in pairs, decoded. Errors: what is no such list.
using Metadata = std::vector<std::pair<std::string, std::string>>;
Expected<Metadata> parse_metadata(std::string_view written);

// What a request wants. All throw http::Problem with the status that tus gives it.

/// Of every request but OPTIONS. 412: another version.
void check_version(const http::Request& request);
/// POST: the upload as it begins, without its id. 400, 413, 415.
Upload read_creation(const http::Request& request, std::int64_t now_unix_ms);
/// Whether bytes come with it.
bool has_bytes(const http::Request& request);
/// A final upload is made of these. 400: one of them is no part, or not whole; 413.
void put_together(Upload& upload, const std::vector<Upload>& parts);

struct Checksum {
  enum class Algorithm : std::uint8_t { kSha1, kSha256 };
  Algorithm algorithm = Algorithm::kSha1;
  std::string digest;  // Raw bytes.
  bool operator==(const Checksum&) const = default;
};
/// PATCH, or what comes with a POST: the bytes that may be added at the upload's offset.
struct Write {
  std::optional<std::uint64_t> length;  // The upload's, from now on.
  std::uint64_t bytes_max = 0;          // More than that is refused: too_many().
  std::optional<Checksum> checksum;
  bool operator==(const Write&) const = default;
};
/// 400, 403, 409, 413, 415.
Write read_write(const http::Request& request, const Upload& upload);
http::Problem too_many(const Upload& upload);  // 413
http::Problem mismatch();                      // 460: nothing of it was added.

// Answers.

http::Response about();                                                     // OPTIONS
http::Response created(const Upload& upload, const std::string& location);  // POST
http::Response told(const Upload& upload);                                  // HEAD
http::Response written(const Upload& upload);                               // PATCH
http::Response removed();                                                   // DELETE
/// With what every answer has, refusals too.
http::Problem as_tus(http::Problem problem);

}  // namespace eole::gateway::tus
