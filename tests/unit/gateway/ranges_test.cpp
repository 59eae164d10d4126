#include "gateway/core/http/ranges.hpp"

#include <catch2/catch.hpp>

using namespace eole::gateway::http;

namespace {

/// "0-9,90-99", "none" of it, or "all".
std::string wanted(std::string_view range, std::uint64_t size = 100) {
  const auto ranges = wanted_ranges(range, size);
  if (!ranges) return "all";
  std::string out;
  for (const auto& one : *ranges)
    out += (out.empty() ? "" : ",") + std::to_string(one.first) + "-" + std::to_string(one.last);
  return out.empty() ? "none" : out;
}

}  // namespace

TEST_CASE("ranges are those that the RFC means", "[gateway]") {
  CHECK(wanted("bytes=0-9") == "0-9");
  CHECK(wanted("bytes=0-") == "0-99");
  CHECK(wanted("Bytes = 5-5") == "5-5");
  CHECK(wanted("bytes=90-200") == "90-99");
  CHECK(wanted("bytes=-5") == "95-99");
  CHECK(wanted("bytes=-500") == "0-99");
  CHECK(wanted("bytes=0-9, 20-29 ,-1") == "0-9,20-29,99-99");
  CHECK(wanted("bytes=50-59,0-9") == "50-59,0-9");
  CHECK(wanted("bytes=0-9,,200-") == "0-9");
  CHECK(wanted("bytes=0-18446744073709551616") == "0-99");

  CHECK(wanted("bytes=100-") == "none");
  CHECK(wanted("bytes=-0") == "none");
  CHECK(wanted("bytes=18446744073709551616-") == "none");
  CHECK(wanted("bytes=0-", 0) == "none");
}

TEST_CASE("a range that makes no sense, or asks for more than the whole, counts as none",
          "[gateway]") {
  for (const auto* range :
       {"", "bytes", "bytes=", "bytes=,", "lines=0-9", "bytes=9-0", "bytes=a-b", "bytes=1",
        "bytes=-", "bytes=--5", "bytes=+1-5", "bytes=0-9;10-19", "bytes=0-9,x", "bytes=0x0-9"})
    CHECK(wanted(range) == "all");
  CHECK(wanted("bytes=0-99,0-0") == "all");
  std::string many = "bytes=0-0";
  for (std::size_t i = 1; i < kByteRangesMax; ++i)
    many += "," + std::to_string(2 * i) + "-" + std::to_string(2 * i);
  CHECK(wanted(many) != "all");
  CHECK(wanted(many + ",98-98") == "all");
}

TEST_CASE("the frames of several ranges have the length that is said before", "[gateway]") {
  const RangeFrames frames{"b", "image/png", 1000};
  const std::vector<ByteRange> ranges{{0, 9}, {990, 999}};
  std::string body;
  for (const auto& range : ranges) body += frames.head(range) + std::string(range.size(), 'x');
  body += frames.end();
  REQUIRE(body ==
          "\r\n--b\r\nContent-Type: image/png\r\nContent-Range: bytes 0-9/1000\r\n\r\nxxxxxxxxxx"
          "\r\n--b\r\nContent-Type: image/png\r\nContent-Range: bytes 990-999/1000\r\n\r\n"
          "xxxxxxxxxx\r\n--b--\r\n");
  REQUIRE(frames.length(ranges) == body.size());
  REQUIRE(content_range(std::nullopt, 1000) == "bytes */1000");
}

TEST_CASE("a validator holds only if it is the same, and strong", "[gateway]") {
  CHECK(if_range_holds("", "\"a\""));
  CHECK(if_range_holds("\"a\"", "\"a\""));
  CHECK_FALSE(if_range_holds("\"b\"", "\"a\""));
  CHECK_FALSE(if_range_holds("W/\"a\"", "\"a\""));
  CHECK_FALSE(if_range_holds("Wed, 21 Oct 2015 07:28:00 GMT", "\"a\""));
  CHECK(names_etag("*", "\"a\""));
  CHECK(names_etag("\"b\", W/\"a\"", "\"a\""));
  CHECK_FALSE(names_etag("\"b\"", "\"a\""));
  CHECK_FALSE(names_etag("", "\"a\""));
}
