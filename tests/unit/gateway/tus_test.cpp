#include "gateway/core/tus.hpp"

#include <catch2/catch.hpp>

#include "gateway/core/http/dates.hpp"

using namespace eole::gateway;
using http::Field;
using http::Request;
using tus::Upload;

// What tus 1.0.0 says of each request, and nothing but that.

namespace {

const std::string kId(32, 'a');
const Upload kHalf{.id = kId, .length = 100, .offset = 50};

Request request(const std::string& method, std::vector<Field> fields,
                std::optional<std::uint64_t> length = 0) {
  return {.method = method, .target = "/uploads", .fields = std::move(fields), .length = length};
}
Request patch(std::vector<Field> fields, std::optional<std::uint64_t> length = 10) {
  fields.push_back({"content-type", "application/offset+octet-stream"});
  return request("PATCH", std::move(fields), length);
}
Upload creation(std::vector<Field> fields) {
  return tus::read_creation(request("POST", std::move(fields)), 1000);
}
template <class Act>
std::string refused(Act act) {
  try {
    act();
  } catch (const http::Problem& problem) {
    return std::to_string(problem.status) + " " + problem.detail;
  }
  return "taken";
}
std::string no_creation(std::vector<Field> fields, std::uint64_t length = 0) {
  return refused([&] { tus::read_creation(request("POST", fields, length), 0); });
}
std::string no_write(const Request& asked, const Upload& upload = kHalf) {
  return refused([&] { tus::read_write(asked, upload); });
}
std::string field(const http::Response& response, const std::string& name) {
  for (const auto& one : response.fields)
    if (one.name == name) return one.value;
  return "-";
}

}  // namespace

TEST_CASE("an upload is created as the fields say", "[gateway]") {
  const auto plain = creation({{"upload-length", "100"}, {"upload-metadata", "filename YS5qcGc="}});
  CHECK(plain.length == 100);
  CHECK(plain.metadata == "filename YS5qcGc=");
  CHECK(plain.expires_unix_ms == 1000 + tus::kExpiresMs);
  CHECK_FALSE(creation({{"upload-defer-length", "1"}}).length);
  CHECK(creation({{"upload-length", "0"}}).is_whole());
  CHECK(creation({{"upload-length", "1"}, {"upload-concat", "partial"}}).is_partial);
  CHECK(creation({{"upload-concat", "final;/uploads/" + kId + "  http://a:1/uploads/" + kId}})
            .parts == std::vector{kId, kId});
}

TEST_CASE("a creation that makes no sense is refused with its status", "[gateway]") {
  CHECK(no_creation({}) == "400 wanted is one of Upload-Length and Upload-Defer-Length");
  CHECK(no_creation({{"upload-length", "1"}, {"upload-defer-length", "1"}})
            .starts_with("400 wanted"));
  CHECK(no_creation({{"upload-length", "-1"}}) == "400 Upload-Length: -1: is no number of bytes");
  CHECK(no_creation({{"upload-length", "1e3"}}).starts_with("400 "));
  CHECK(no_creation({{"upload-length", "18446744073709551616"}}).starts_with("400 "));
  CHECK(no_creation({{"upload-length", "1099511627777"}}) ==
        "413 Upload-Length: 1099511627777 bytes, limit 1099511627776");
  CHECK(no_creation({{"upload-defer-length", "2"}}).starts_with("400 Upload-Defer-Length"));
  CHECK(no_creation({{"upload-length", "1"}, {"upload-metadata", "a !"}}) ==
        "400 Upload-Metadata: a !: wanted is a key and a value in base64");
  CHECK(no_creation({{"upload-length", "1"}, {"upload-metadata", "a,a"}}) ==
        "400 Upload-Metadata: a: is there twice");
  CHECK(no_creation({{"upload-concat", "whole"}}).starts_with("400 Upload-Concat"));
  CHECK(no_creation({{"upload-concat", "final;"}}) == "400 Upload-Concat: final without uploads");
  CHECK(no_creation({{"upload-concat", "final;/uploads/../x"}}) ==
        "400 Upload-Concat: /uploads/../x: is no upload");
  CHECK(no_creation({{"upload-concat", "final;/uploads/" + kId}, {"upload-length", "1"}}) ==
        "400 Upload-Length: a final upload has that of its parts");
  CHECK(no_creation({{"upload-concat", "final;/uploads/" + kId}}, 5).starts_with("403 "));
  std::string many = "final;";
  for (std::size_t i = 0; i <= tus::kUploadPartsMax; ++i) many += "/uploads/" + kId + " ";
  CHECK(no_creation({{"upload-concat", many}}) == "400 Upload-Concat: more than 64 uploads");
}

TEST_CASE("metadata are pairs of a key and a value in base64", "[gateway]") {
  const auto some = tus::parse_metadata("filename w6kuanBn,is_secret, empty ,kind aW1hZ2U=");
  REQUIRE(some);
  CHECK(*some ==
        tus::Metadata{
            {"filename", "\xc3\xa9.jpg"}, {"is_secret", ""}, {"empty", ""}, {"kind", "image"}});
  CHECK(tus::parse_metadata("")->empty());
  for (const auto* bad : {",", "a YQ", "a YQ=", "a YR==", "a Y===", "a Y Q==", " YQ==,,b"})
    CHECK_FALSE(tus::parse_metadata(bad));
  CHECK_FALSE(tus::parse_metadata(std::string(9000, 'a')));
}

TEST_CASE("bytes are added at the offset that the upload has, and nowhere else", "[gateway]") {
  CHECK(tus::read_write(patch({{"upload-offset", "50"}}), kHalf) == tus::Write{100, 50, {}});
  CHECK(no_write(patch({{"upload-offset", "49"}})) ==
        "409 Upload-Offset: 49: the upload has 50 bytes");
  CHECK(no_write(patch({{"upload-offset", "51"}})).starts_with("409 "));
  CHECK(no_write(patch({})) == "400 Upload-Offset: is missing");
  CHECK(no_write(patch({{"upload-offset", "x"}})).starts_with("400 "));
  CHECK(no_write(request("PATCH", {{"upload-offset", "50"}}, 10)) ==
        "415 Content-Type: wanted is application/offset+octet-stream, not nothing");
  CHECK(no_write(patch({{"upload-offset", "50"}}, 51)) ==
        "413 the upload has 50 bytes, and with these more than 100");
  CHECK(no_write(patch({{"upload-offset", "50"}}, 50)) == "taken");
  CHECK(no_write(patch({{"upload-offset", "50"}}, std::nullopt)) == "taken");
  auto final = kHalf;
  final.parts = {kId};
  CHECK(no_write(patch({{"upload-offset", "50"}}), final).starts_with("403 "));
}

TEST_CASE("a length that was deferred is said once", "[gateway]") {
  Upload open{.id = kId, .offset = 50};
  CHECK(tus::read_write(patch({{"upload-offset", "50"}}), open).bytes_max ==
        tus::kUploadBytesMax - 50);
  CHECK(tus::read_write(patch({{"upload-offset", "50"}, {"upload-length", "60"}}), open) ==
        tus::Write{60, 10, {}});
  CHECK(no_write(patch({{"upload-offset", "50"}, {"upload-length", "40"}}), open) ==
        "400 Upload-Length: 40: the upload has 50 bytes already");
  CHECK(no_write(patch({{"upload-offset", "50"}, {"upload-length", "99"}})) ==
        "400 Upload-Length: 99: it was 100");
  CHECK(no_write(patch({{"upload-offset", "50"}, {"upload-length", "100"}})) == "taken");
  CHECK(field(tus::told(open), "Upload-Defer-Length") == "1");
  CHECK(field(tus::told(open), "Upload-Length") == "-");
}

TEST_CASE("a checksum is of a known algorithm and has its length", "[gateway]") {
  const auto with = [](const std::string& checksum) {
    return patch({{"upload-offset", "50"}, {"upload-checksum", checksum}});
  };
  const auto write = tus::read_write(with("sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0="), kHalf);
  CHECK(write.checksum == tus::Checksum{tus::Checksum::Algorithm::kSha1,
                                        "\x2a\xae\x6c\x35\xc9\x4f\xcf\xb4\x15\xdb\xe9\x5f\x40\x8b"
                                        "\x9c\xe9\x1e\xe8\x46\xed"});
  CHECK(no_write(with("sha256 " + std::string(43, 'A') + "=")) == "taken");
  CHECK(no_write(with("md5 AAAA")) == "400 Upload-Checksum: md5: wanted is sha1 or sha256");
  CHECK(no_write(with("sha1 AAAA")) == "400 Upload-Checksum: sha1 AAAA: is no digest in base64");
  CHECK(no_write(with("sha1")).starts_with("400 "));
  CHECK(tus::mismatch().status == 460);
}

TEST_CASE("uploads are put together from parts that are whole", "[gateway]") {
  auto final = creation({{"upload-concat", "final;/uploads/" + kId}});
  const Upload part{.id = kId, .length = 50, .offset = 50, .is_partial = true};
  tus::put_together(final, {part, part});
  CHECK(final.length == 100);
  auto half = part;
  half.offset = 49;
  CHECK(refused([&] { tus::put_together(final, {half}); }) ==
        "400 Upload-Concat: " + kId + ": has 49 bytes, of 50");
  auto none = part;
  none.is_partial = false;
  CHECK(refused([&] { tus::put_together(final, {none}); }) ==
        "400 Upload-Concat: " + kId + ": is no part");
  auto huge = part;
  huge.length = huge.offset = tus::kUploadBytesMax;
  CHECK(refused([&] { tus::put_together(final, {huge, part}); }).starts_with("413 "));
}

TEST_CASE("answers say what tus wants them to", "[gateway]") {
  auto upload = kHalf;
  upload.metadata = "a YQ==";
  upload.expires_unix_ms = 784'111'777'000;
  const auto told = tus::told(upload);
  CHECK(told.status == 200);
  CHECK(field(told, "Tus-Resumable") == "1.0.0");
  CHECK(field(told, "Cache-Control") == "no-store");
  CHECK(field(told, "Upload-Offset") == "50");
  CHECK(field(told, "Upload-Length") == "100");
  CHECK(field(told, "Upload-Metadata") == "a YQ==");
  CHECK(field(told, "Upload-Expires") == "Sun, 06 Nov 1994 08:49:37 GMT");
  CHECK(field(told, "Upload-Concat") == "-");
  upload.parts = {"x", "y"};
  CHECK(field(tus::told(upload), "Upload-Concat") == "final;/uploads/x /uploads/y");
  CHECK(tus::created(upload, "/uploads/1").status == 201);
  CHECK(field(tus::created(upload, "/uploads/1"), "Location") == "/uploads/1");
  CHECK(tus::written(upload).status == 204);
  CHECK(field(tus::written(upload), "Upload-Offset") == "50");
  CHECK(field(tus::about(), "Tus-Checksum-Algorithm") == "sha1,sha256");
  CHECK(refused([] {
          tus::check_version(request("HEAD", {{"tus-resumable", "0.2.2"}}));
        }) == "412 Tus-Resumable: 0.2.2: only 1.0.0 is spoken");
  CHECK(refused([] {
          tus::check_version(request("HEAD", {{"tus-resumable", "1.0.0"}}));
        }) == "taken");
  CHECK(tus::as_tus(tus::mismatch()).fields == std::vector<Field>{{"Tus-Resumable", "1.0.0"}});
}

TEST_CASE("an upload is kept as it was", "[gateway]") {
  const Upload upload{.id = kId,
                      .length = 100,
                      .offset = 0,
                      .metadata = "a \xff",
                      .is_partial = true,
                      .parts = {"x"},
                      .expires_unix_ms = 5};
  CHECK(tus::from_value(kId, tus::to_value(upload)) == upload);
  const Upload open{.id = kId};
  CHECK(tus::from_value(kId, tus::to_value(open)) == open);
}

TEST_CASE("times are written as HTTP has them", "[gateway]") {
  CHECK(http::http_date(0) == "Thu, 01 Jan 1970 00:00:00 GMT");
  CHECK(http::http_date(951'782'400) == "Tue, 29 Feb 2000 00:00:00 GMT");
  CHECK(http::http_date(-1) == "Wed, 31 Dec 1969 23:59:59 GMT");
}
