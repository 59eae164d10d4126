#include "gateway/core/tus.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

#include "common/base/base64.hpp"
#include "common/base/planted.hpp"
#include "common/base/text.hpp"
#include "gateway/core/http/dates.hpp"
#include "gateway/core/http/letters.hpp"

namespace eole::gateway::tus {

using http::Problem;
using http::Request;
using http::Response;
using protocol::Value;

namespace {

constexpr const char* kVersion = "1.0.0";
constexpr std::string_view kBytesType = "application/offset+octet-stream";
constexpr std::size_t kIdLetters = 32;

// Nothing: there is no such field. Throws if it is no number.
std::optional<std::uint64_t> number_in(const Request& request, std::string_view name,
                                       const char* shown) {
  const auto written = request.field(name);
  if (written.empty()) return {};
  std::uint64_t value = 0;
  const auto* end = written.data() + written.size();
  const auto [stop, error] = std::from_chars(written.data(), end, value);
  if (stop != end || error != std::errc{})
    throw Problem(400, text(shown, ": ", written, ": is no number of bytes"));
  return value;
}

std::optional<std::uint64_t> length_in(const Request& request) {
  const auto length = number_in(request, "upload-length", "Upload-Length");
  if (length && *length > kUploadBytesMax)
    throw Problem(413, text("Upload-Length: ", *length, " bytes, limit ", kUploadBytesMax));
  return length;
}

// "/uploads/ID", or the same behind a scheme and a host.
std::string id_of(std::string_view url) {
  const auto slash = url.rfind('/');
  std::string id(slash == std::string_view::npos ? "" : url.substr(slash + 1));
  if (id.size() != kIdLetters || id.find_first_not_of("0123456789abcdef") != std::string::npos)
    throw Problem(400, text("Upload-Concat: ", url, ": is no upload"));
  return id;
}

std::vector<std::string> parts_in(std::string_view urls) {
  std::vector<std::string> parts;
  while (!(urls = http::trimmed(urls)).empty()) {
    if (parts.size() == kUploadPartsMax)
      throw Problem(400, text("Upload-Concat: more than ", kUploadPartsMax, " uploads"));
    parts.push_back(id_of(urls.substr(0, urls.find(' '))));
    urls.remove_prefix(std::min(urls.find(' '), urls.size()));
  }
  if (parts.empty()) throw Problem(400, "Upload-Concat: final without uploads");
  return parts;
}

Checksum checksum_in(std::string_view written) {
  const auto space = written.find(' ');
  const auto algorithm = written.substr(0, space);
  const bool is_sha1 = algorithm == "sha1";
  if (!is_sha1 && algorithm != "sha256")
    throw Problem(400, text("Upload-Checksum: ", algorithm, ": wanted is sha1 or sha256"));
  auto digest = space == std::string_view::npos ? std::optional<std::string>()
                                                : from_base64(written.substr(space + 1));
  if (!digest || digest->size() != (is_sha1 ? 20 : 32))
    throw Problem(400, text("Upload-Checksum: ", written, ": is no digest in base64"));
  return {is_sha1 ? Checksum::Algorithm::kSha1 : Checksum::Algorithm::kSha256, std::move(*digest)};
}

Response answer(int status) { return {status, {{"Tus-Resumable", kVersion}}, {}}; }

void say_expiry(Response& response, const Upload& upload) {
  response.fields.push_back({"Upload-Expires", http::http_date(upload.expires_unix_ms / 1000)});
}

}  // namespace

Value to_value(const Upload& upload) {
  Value::Array parts(upload.parts.begin(), upload.parts.end());
  Value value = Value::Map{{"metadata", upload.metadata},
                           {"is_partial", upload.is_partial},
                           {"parts", std::move(parts)},
                           {"expires_unix_ms", upload.expires_unix_ms}};
  if (upload.length) value.set("length", *upload.length);
  return value;
}

Upload from_value(std::string id, const Value& value) {
  Upload upload{.id = std::move(id)};
  if (const auto length = value["length"].int_or(-1); length >= 0)
    upload.length = static_cast<std::uint64_t>(length);
  upload.metadata = value["metadata"].text_or("");
  const auto* is_partial = value["is_partial"].as<bool>();
  upload.is_partial = is_partial != nullptr && *is_partial;
  if (const auto* parts = value["parts"].as<Value::Array>())
    for (const auto& part : *parts) upload.parts.push_back(part.text_or(""));
  upload.expires_unix_ms = value["expires_unix_ms"].int_or(0);
  return upload;
}

Expected<Metadata> parse_metadata(std::string_view written) {
  Metadata out;
  if (written.size() > kMetadataBytesMax)
    return Error{text("Upload-Metadata: ", written.size(), " bytes, limit ", kMetadataBytesMax)};
  while (!written.empty()) {
    const auto comma = written.find(',');
    const auto pair = http::trimmed(written.substr(0, comma));
    const auto space = pair.find(' ');
    const std::string key(pair.substr(0, space));
    const auto value = space == std::string_view::npos ? std::optional<std::string>("")
                                                       : from_base64(http::trimmed(pair.substr(space)));
    if (key.empty() || !value)
      return Error{text("Upload-Metadata: ", pair, ": wanted is a key and a value in base64")};
    if (std::any_of(out.begin(), out.end(), [&](const auto& one) { return one.first == key; }))
      return Error{text("Upload-Metadata: ", key, ": is there twice")};
    out.emplace_back(key, *value);
    if (comma == std::string_view::npos) break;
    written.remove_prefix(comma + 1);
  }
  return out;
}

void check_version(const Request& request) {
  const auto version = request.field("tus-resumable");
  if (version == kVersion) return;
  Problem problem(412, text("Tus-Resumable: ", version.empty() ? "nothing" : version, ": only ",
                            kVersion, " is spoken"));
  problem.fields.push_back({"Tus-Version", kVersion});
  throw problem;
}

bool has_bytes(const Request& request) { return request.has_body(); }

Upload read_creation(const Request& request, std::int64_t now_unix_ms) {
  Upload upload{.id = {},
                .length = length_in(request),
                .metadata = std::string(request.field("upload-metadata")),
                .expires_unix_ms = now_unix_ms + kExpiresMs};
  if (const auto metadata = parse_metadata(upload.metadata); !metadata)
    throw Problem(400, metadata.error().message);
  const auto defer = request.field("upload-defer-length");
  const auto concat = request.field("upload-concat");
  if (!defer.empty() && defer != "1")
    throw Problem(400, text("Upload-Defer-Length: ", defer, ": wanted is 1"));
  constexpr std::string_view kFinal = "final;";
  if (concat.starts_with(kFinal)) {
    if (upload.length || !defer.empty())
      throw Problem(400, "Upload-Length: a final upload has that of its parts");
    if (has_bytes(request)) throw Problem(403, "a final upload takes no bytes of its own");
    upload.parts = parts_in(concat.substr(kFinal.size()));
    return upload;
  }
  if (!concat.empty() && concat != "partial")
    throw Problem(400, text("Upload-Concat: ", concat, ": wanted is partial, or final;URL URL …"));
  upload.is_partial = !concat.empty();
  if (upload.length.has_value() != defer.empty())
    throw Problem(400, "wanted is one of Upload-Length and Upload-Defer-Length");
  return upload;
}

void put_together(Upload& upload, const std::vector<Upload>& parts) {
  std::uint64_t length = 0;
  for (const auto& part : parts) {
    if (!part.is_partial) throw Problem(400, text("Upload-Concat: ", part.id, ": is no part"));
    if (!part.is_whole() && !planted("unfinished-parts-put-together"))
      throw Problem(400, text("Upload-Concat: ", part.id, ": has ", part.offset, " bytes, of ",
                              part.length ? std::to_string(*part.length) : "no number known yet"));
    length += part.offset;
  }
  if (length > kUploadBytesMax)
    throw Problem(413, text("Upload-Concat: ", length, " bytes, limit ", kUploadBytesMax));
  upload.length = length;
}

Write read_write(const Request& request, const Upload& upload) {
  if (!upload.parts.empty()) throw Problem(403, "a final upload takes no bytes of its own");
  if (const auto type = request.field("content-type"); type != kBytesType)
    throw Problem(415, text("Content-Type: wanted is ", kBytesType, ", not ",
                            type.empty() ? "nothing" : type));
  if (request.method != "POST") {
    const auto offset = number_in(request, "upload-offset", "Upload-Offset");
    if (!offset) throw Problem(400, "Upload-Offset: is missing");
    if (*offset != upload.offset && !planted("offset-not-compared"))
      throw Problem(409,
                    text("Upload-Offset: ", *offset, ": the upload has ", upload.offset, " bytes"));
  }
  Write write{upload.length, 0, {}};
  if (request.method != "POST")
    if (const auto length = length_in(request)) {
      if (upload.length && *upload.length != *length)
        throw Problem(400, text("Upload-Length: ", *length, ": it was ", *upload.length));
      if (*length < upload.offset)
        throw Problem(400, text("Upload-Length: ", *length, ": the upload has ", upload.offset,
                                " bytes already"));
      write.length = length;
    }
  write.bytes_max = write.length.value_or(kUploadBytesMax) - upload.offset;
  if (request.length && *request.length > write.bytes_max) throw too_many(upload);
  if (const auto checksum = request.field("upload-checksum"); !checksum.empty())
    write.checksum = checksum_in(checksum);
  return write;
}

Problem too_many(const Upload& upload) {
  return {413, text("the upload has ", upload.offset, " bytes, and with these more than ",
                    upload.length.value_or(kUploadBytesMax))};
}

Problem mismatch() { return {460, "Upload-Checksum: the bytes have another digest"}; }

Response about() {
  auto response = answer(204);
  response.fields.insert(
      response.fields.end(),
      {{"Tus-Version", kVersion},
       {"Tus-Extension",
        "creation,creation-with-upload,creation-defer-length,checksum,termination,expiration,"
        "concatenation"},
       {"Tus-Max-Size", std::to_string(kUploadBytesMax)},
       {"Tus-Checksum-Algorithm", "sha1,sha256"}});
  return response;
}

Response created(const Upload& upload, const std::string& location) {
  auto response = answer(201);
  response.fields.push_back({"Location", location});
  response.fields.push_back({"Upload-Offset", std::to_string(upload.offset)});
  say_expiry(response, upload);
  return response;
}

Response told(const Upload& upload) {
  auto response = answer(200);
  response.fields.push_back({"Cache-Control", "no-store"});
  response.fields.push_back({"Upload-Offset", std::to_string(upload.offset)});
  if (upload.length)
    response.fields.push_back({"Upload-Length", std::to_string(*upload.length)});
  else
    response.fields.push_back({"Upload-Defer-Length", "1"});
  if (!upload.metadata.empty()) response.fields.push_back({"Upload-Metadata", upload.metadata});
  if (upload.is_partial) response.fields.push_back({"Upload-Concat", "partial"});
  if (!upload.parts.empty()) {
    std::string urls;
    for (const auto& part : upload.parts)
      urls += (urls.empty() ? "/uploads/" : " /uploads/") + part;
    response.fields.push_back({"Upload-Concat", "final;" + urls});
  }
  say_expiry(response, upload);
  return response;
}

Response written(const Upload& upload) {
  auto response = answer(204);
  response.fields.push_back({"Upload-Offset", std::to_string(upload.offset)});
  say_expiry(response, upload);
  return response;
}

Response removed() { return answer(204); }

Problem as_tus(Problem problem) {
  problem.fields.push_back({"Tus-Resumable", kVersion});
  return problem;
}

}  // namespace eole::gateway::tus
