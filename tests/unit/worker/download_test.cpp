#include <catch2/catch.hpp>

#include "common/base/logins.hpp"
#include "worker/handlers/http_answer.hpp"
#include "worker/handlers/url.hpp"

using namespace eole::worker;
using eole::without_passwords;

namespace {

constexpr std::int64_t kNow = 1'700'000'000;

Answer answer(std::initializer_list<std::string_view> lines) {
  Answer made;
  for (const auto line : lines) made.add(line);
  return made;
}

const Version kPart{"\"v1\"", 100, "", "", ""};

// What a server says to "bytes=40-" of kPart.
Judgement rest(std::initializer_list<std::string_view> lines) {
  return Judgement::of(answer(lines), 40, kPart);
}

}  // namespace

TEST_CASE("a Content-Range is read, and nothing else passes for one", "[download]") {
  CHECK(read_content_range("bytes 5-9/10") == ContentRange{5, 9, 10});
  CHECK(read_content_range(" Bytes 0-0/*\r\n") == ContentRange{0, 0, std::nullopt});
  for (const auto* bad :
       {"", "bytes", "bytes 5-9", "bytes */10", "bytes 9-5/10", "bytes 5-10/10", "bytes -5-9/10",
        "bytes 5-9/-1", "bytes 5 - 9/10", "lines 5-9/10", "bytes 5-9/10, 11-12/10",
        "bytes 5-99999999999999999999/*", "bytes 5-9/x", "bytes 9/10-5"})
    CHECK_FALSE(read_content_range(bad));
}

TEST_CASE("a date of HTTP is read by its one form", "[download]") {
  CHECK(read_http_date("Sun, 06 Nov 1994 08:49:37 GMT") == 784111777);
  CHECK(read_http_date("Thu, 29 Feb 2024 00:00:00 GMT") == 1709164800);
  for (const auto* bad : {"", "now", "Sun, 06 Nov 1994 08:49:37 CET",
                          "Thu, 30 Feb 2024 00:00:00 GMT", "Sun, 06 ovN 1994 08:49:37 GMT",
                          "Sun, 06 Nov 1994 25:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT"})
    CHECK_FALSE(read_http_date(bad));
}

TEST_CASE("Retry-After is seconds, or a date by the server's own clock", "[download]") {
  CHECK(answer({"HTTP/1.1 503 x", "Retry-After: 9"}).retry_after(kNow) == 9);
  CHECK(answer({"HTTP/1.1 503 x", "Date: Sun, 06 Nov 1994 08:49:37 GMT",
                "retry-after: Sun, 06 Nov 1994 08:50:37 GMT"})
            .retry_after(kNow) == 60);
  CHECK(answer({"HTTP/1.1 503 x", "Retry-After: Sun, 06 Nov 1994 08:50:37 GMT"})
            .retry_after(784111777) == 60);
  CHECK(
      answer({"HTTP/1.1 503 x", "Retry-After: Sun, 06 Nov 1994 08:50:37 GMT"}).retry_after(kNow) ==
      0);
  for (const auto* bad : {"Retry-After: -1", "Retry-After: soon", "Retry-After:", "X: 9",
                          "Retry-After: 99999999999999999999"})
    CHECK_FALSE(answer({"HTTP/1.1 503 x", bad}).retry_after(kNow));
}

TEST_CASE("only a strong validator is remembered", "[download]") {
  const auto validator = [](std::initializer_list<std::string_view> lines) {
    return Judgement::of(answer(lines), std::nullopt, {}).version.validator;
  };
  CHECK(validator({"HTTP/1.1 200 OK", "ETag: \"a\""}) == "\"a\"");
  CHECK(validator({"HTTP/1.1 200 OK", "ETag: W/\"a\""}).empty());
  CHECK(validator({"HTTP/1.1 200 OK", "ETag: a"}).empty());
  CHECK(validator({"HTTP/1.1 200 OK", "ETag: \"a\"", "ETag: \"b\""}).empty());
  CHECK(validator({"HTTP/1.1 200 OK", "ETag: \"a\nX: b\""}).empty());
  constexpr std::string_view kModified = "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT";
  CHECK(validator({"HTTP/1.1 200 OK", kModified}).empty());  // No Date: of what second is it?
  CHECK(validator({"HTTP/1.1 200 OK", kModified, "Date: Sun, 06 Nov 1994 08:50:36 GMT"}).empty());
  CHECK(validator({"HTTP/1.1 200 OK", kModified, "Date: Sun, 06 Nov 1994 08:50:37 GMT"}) ==
        "Sun, 06 Nov 1994 08:49:37 GMT");
  // A weak tag says that the bytes may differ: the date does not know better.
  CHECK(validator(
            {"HTTP/1.1 200 OK", kModified, "Date: Sun, 06 Nov 1994 18:50:37 GMT", "ETag: W/\"a\""})
            .empty());
  // Of a redirect.
  CHECK(validator({"HTTP/1.1 302 Found", "ETag: \"a\"", "HTTP/1.1 200 OK"}).empty());
}

TEST_CASE("the rest of a part is taken only if it is the rest of that part", "[download]") {
  const auto good = rest(
      {"HTTP/1.1 206 x", "Content-Range: bytes 40-99/100", "ETag: \"v1\"", "Content-Length: 60"});
  CHECK(good.refusal.empty());
  CHECK(good.from == 40);
  CHECK(good.end == 100);
  CHECK(good.version == kPart);
  CHECK(rest({"HTTP/1.1 206 x", "Content-Range: bytes 40-59/100", "ETag: \"v1\""}).end == 60);

  const auto is_refused = [](std::initializer_list<std::string_view> lines) {
    return !rest(lines).refusal.empty();
  };
  CHECK(is_refused({"HTTP/1.1 206 x", "Content-Range: bytes 39-99/100", "ETag: \"v1\""}));
  CHECK(is_refused({"HTTP/1.1 206 x", "Content-Range: bytes 41-99/100", "ETag: \"v1\""}));
  CHECK(is_refused({"HTTP/1.1 206 x", "Content-Range: bytes 40-100/101", "ETag: \"v1\""}));
  CHECK(is_refused({"HTTP/1.1 206 x", "Content-Range: bytes 40-100/*", "ETag: \"v1\""}));
  CHECK(is_refused({"HTTP/1.1 206 x", "Content-Range: bytes 40-99/100", "ETag: \"v2\""}));
  CHECK(is_refused({"HTTP/1.1 206 x", "Content-Range: bytes 40-99/100", "ETag: W/\"v1\""}));
  CHECK(is_refused({"HTTP/1.1 206 x", "Content-Range: bytes 40-99/100"}));
  CHECK(is_refused({"HTTP/1.1 206 x", "ETag: \"v1\""}));
  CHECK(is_refused({"HTTP/1.1 206 x", "Content-Range: bytes 40-99/100", "ETag: \"v1\"",
                    "Content-Range: bytes 41-99/100"}));
  CHECK(is_refused(
      {"HTTP/1.1 206 x", "Content-Range: bytes 40-99/100", "ETag: \"v1\"", "Content-Length: 59"}));
  CHECK(is_refused({"HTTP/1.1 206 x", "Content-Range: bytes 40-99/100", "ETag: \"v1\"",
                    "Content-Encoding: gzip"}));
}

TEST_CASE("a 206 that was not asked for is refused", "[download]") {
  CHECK_FALSE(Judgement::of(answer({"HTTP/1.1 206 x", "Content-Range: bytes 0-99/100",
                                    "Content-Length: 100"}),
                            std::nullopt, {})
                  .refusal.empty());
}

TEST_CASE("a 200 to a resume is the whole of now", "[download]") {
  const auto judged = rest({"HTTP/1.1 200 OK", "Content-Length: 40", "ETag: \"v2\""});
  CHECK(judged.refusal.empty());
  CHECK(judged.from == 0);
  CHECK(judged.version == Version{"\"v2\"", 40, "", "", ""});
  CHECK_FALSE(rest({"HTTP/1.1 200 OK", "Content-Range: bytes 40-99/100"}).refusal.empty());
  CHECK_FALSE(rest({"HTTP/1.1 200 OK", "Content-Range: bytes 40-/100"}).refusal.empty());
  CHECK_FALSE(rest({"HTTP/1.1 200 OK", "Content-Range:"}).refusal.empty());
  CHECK(rest({"HTTP/1.1 200 OK", "Content-Range: bytes 0-99/100"}).refusal.empty());
}

TEST_CASE("lengths and encodings that nobody can be sure of are refused", "[download]") {
  const auto is_refused = [](std::string_view line, std::string_view other = "X: y") {
    return !Judgement::of(answer({"HTTP/1.1 200 OK", line, other}), std::nullopt, {})
                .refusal.empty();
  };
  CHECK(is_refused("Content-Length: -1"));
  CHECK(is_refused("Content-Length: 5x"));
  CHECK(is_refused("Content-Length:"));
  CHECK(is_refused("Content-Length: 18446744073709551615"));
  CHECK(is_refused("Content-Length: 5", "Content-Length: 6"));
  CHECK(is_refused("Transfer-Encoding: gzip"));
  CHECK(is_refused("Transfer-Encoding: gzip, chunked"));
  CHECK_FALSE(is_refused("Content-Length: 5", "Content-Length: 5"));
  CHECK_FALSE(is_refused("Transfer-Encoding: Chunked"));
}

TEST_CASE("an end that is only the connection's end is known as such", "[download]") {
  const auto is_framed = [](std::string_view status, std::string_view line) {
    return Judgement::of(answer({status, line}), std::nullopt, {}).is_framed;
  };
  CHECK_FALSE(is_framed("HTTP/1.1 200 OK", "X: y"));
  CHECK(is_framed("HTTP/1.1 200 OK", "Transfer-Encoding: chunked"));
  CHECK(is_framed("HTTP/1.1 200 OK", "Content-Length: 0"));
  CHECK(is_framed("HTTP/2 200", "x: y"));
}

TEST_CASE("a password in a URL is told to nobody", "[download]") {
  CHECK(without_passwords("http://bob:hunter2@host/a") == "http://***@host/a");
  CHECK(without_passwords("x HTTPS://bob@host, then ftp://a:b@c") ==
        "x HTTPS://***@host, then ftp://***@c");
  CHECK(without_passwords("http://bob:p@ss@host/x@2") == "http://***@host/x@2");
  CHECK(without_passwords("http://bob:hun/ter2@host/") == "http://***@host/");
  CHECK(without_passwords("http://host:80/a@2x.png?q=b@c") == "http://host:80/a@2x.png?q=b@c");
  CHECK(without_passwords("http://[::1]:80/a@b") == "http://[::1]:80/a@b");
  CHECK(without_passwords("http://") == "http://");
  CHECK(tellable("no\x1b[31m\xc2\x9bhost \xff http://u:p@h") == "no[31mhost ? http://***@h");
  CHECK(tellable(std::string(900'000, 'x')).size() < 600);
}

TEST_CASE("a file is called what a person would call it, and is harmless", "[download]") {
  CHECK(name_in_url("http://host/my%20report%20%C3%A9.pdf?x=/y#z") == "my report é.pdf");
  CHECK(name_in_url("https://www.debian.org/") == "www.debian.org");
  CHECK(name_in_url("https://bob:hunter2@host:8080") == "host");
  CHECK(name_in_url("http://host/a/..%2f..%2fetc%2fpasswd") == "passwd");
  CHECK(name_in_url("http://host/%00%1b") == "download");
  CHECK(safe_name("../../evil") == "evil");
  CHECK(safe_name("..\\..\\evil.exe") == "evil.exe");
  CHECK(safe_name(".bashrc") == "bashrc");
  CHECK(safe_name("a\nb\x1b"
                  "c\u202e.txt") == "abc.txt");
  CHECK(safe_name("a\xd8\x9c"
                  "b.txt") == "ab.txt");      // Another mark of direction.
  CHECK(safe_name("r\xe9port") == "réport");  // Latin-1, as old servers send it.
  for (const auto* nothing : {"", "..", "/", "a/", " . ", "\x01\x02"})
    CHECK_FALSE(safe_name(nothing));
  const auto cut = safe_name(std::string(300, 'n') + ".bin").value();
  CHECK(cut.size() == 255);
  CHECK(cut.ends_with("n.bin"));
  std::string accents;
  for (int i = 0; i < 200; ++i) accents += "é";
  CHECK(safe_name(accents).value().size() == 254);
}

TEST_CASE("Content-Disposition names a file in all its ways", "[download]") {
  CHECK(name_in_disposition("attachment; filename=plain.txt") == "plain.txt");
  CHECK(name_in_disposition("attachment; FileName=\"a \\\"b\\\"; c.txt\"; size=5") ==
        "a \"b\"; c.txt");
  CHECK(name_in_disposition(
            "attachment; filename=\"report.pdf\"; filename*=UTF-8''r%C3%A9port.pdf") ==
        "réport.pdf");
  CHECK(name_in_disposition("inline; filename*=iso-8859-1'en'%E9.txt") == "é.txt");
  CHECK(name_in_disposition("attachment; filename=\"../../evil\"") == "evil");
  CHECK(name_in_disposition("attachment; filename*=utf-7''x; filename=y") == "y");
  for (const auto* nothing : {"", "attachment", "attachment; filename", "attachment; filename=",
                              "attachment; filename=\"", "; ; =;", "attachment; filename*=x"})
    CHECK_FALSE(name_in_disposition(nothing));
}
