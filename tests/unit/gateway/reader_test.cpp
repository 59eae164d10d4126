#include "gateway/core/http/reader.hpp"

#include <catch2/catch.hpp>

using namespace eole::gateway::http;

// What is one request, and what is refused.

namespace {

/// The requests in `bytes` as "METHOD target body", or the status of what ends the connection.
std::vector<std::string> read(std::string bytes, std::size_t piece = SIZE_MAX) {
  RequestReader reader;
  std::vector<std::string> out;
  std::string input;
  std::string head;
  std::string body;
  try {
    while (true) {
      const auto taken = reader.feed(input);
      input.erase(0, taken);
      if (reader.has_head()) {
        const auto request = reader.take_head();
        head = request.method + " " + request.target;
        continue;
      }
      body += reader.take_body();
      if (reader.is_done()) {
        out.push_back(head + " " + std::exchange(body, {}));
        reader.next_request();
        continue;
      }
      if (taken > 0 && !input.empty()) continue;
      if (bytes.empty()) break;
      input += bytes.substr(0, piece);
      bytes.erase(0, piece);
    }
  } catch (const Problem& problem) {
    out.push_back(std::to_string(problem.status));
  }
  return out;
}

using Is = std::vector<std::string>;
const std::string kHost = "Host: a\r\n";

}  // namespace

TEST_CASE("requests follow one another, however they are cut", "[gateway]") {
  const auto bytes = "GET /a HTTP/1.1\r\n" + kHost + "\r\nPOST /b HTTP/1.1\r\n" + kHost +
                     "Content-Length: 5\r\n\r\nhelloPOST /c HTTP/1.1\r\n" + kHost +
                     "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\nGET /d "
                     "HTTP/1.1\r\n" +
                     kHost + "\r\nPOST /e HTTP/1.1\r\n" + kHost +
                     "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
  const Is all{"GET /a ", "POST /b hello", "POST /c abcde", "GET /d ", "POST /e "};
  REQUIRE(read(bytes) == all);
  for (const std::size_t piece : {1, 2, 3, 7, 64}) REQUIRE(read(bytes, piece) == all);
}

TEST_CASE("what two readers could understand differently is refused", "[gateway]") {
  const auto get = [](const std::string& fields) {
    return read("GET / HTTP/1.1\r\n" + fields + "\r\n");
  };
  const Is bad{"400"};
  REQUIRE(get(kHost) == Is{"GET / "});
  REQUIRE(get("") == bad);
  REQUIRE(get(kHost + kHost) == bad);
  REQUIRE(get("Host: a b\r\n") == bad);
  REQUIRE(get("Host: a@b\r\n") == bad);
  REQUIRE(get(kHost + "Content-Length: 1\r\nContent-Length: 1\r\n") == bad);
  REQUIRE(get(kHost + "Content-Length: +1\r\n") == bad);
  REQUIRE(get(kHost + "Content-Length: 1, 1\r\n") == bad);
  REQUIRE(get(kHost + "Content-Length: 99999999999999999999\r\n") == bad);
  REQUIRE(get(kHost + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n") == bad);
  REQUIRE(get(kHost + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n") == bad);
  REQUIRE(get(kHost + "Transfer-Encoding: chunked, gzip\r\n") == bad);
  REQUIRE(get(kHost + "Transfer-Encoding: xchunked\r\n") == bad);
  REQUIRE(get(kHost + "Transfer-Encoding:\r\n") == bad);
  REQUIRE(get(kHost + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n") == bad);
  REQUIRE(get(kHost + "A : b\r\n") == bad);
  REQUIRE(get(kHost + "no colon\r\n") == bad);
  REQUIRE(get(kHost + "Expect: more\r\n") == Is{"417"});
  REQUIRE(read("GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n") == bad);
  REQUIRE(read("GET / HTTP/2.0\r\n" + kHost + "\r\n") == Is{"505"});
  REQUIRE(read("GET * HTTP/1.1\r\n" + kHost + "\r\n") == bad);
  REQUIRE(read("GET http://b/ HTTP/1.1\r\n" + kHost + "\r\n") == bad);
  REQUIRE(read("GET  / HTTP/1.1\r\n" + kHost + "\r\n") == bad);
  const auto chunks = [](const std::string& body) {
    return read("POST / HTTP/1.1\r\n" + kHost + "Transfer-Encoding: chunked\r\n\r\n" + body);
  };
  REQUIRE(chunks("3;a=b\r\nabc\r\n0\r\n\r\n") == bad);
  REQUIRE(chunks("3\r\nabc\r\n0\r\nA: b\r\n\r\n") == bad);
  REQUIRE(chunks("g\r\nabc\r\n0\r\n\r\n") == bad);
  REQUIRE(chunks("3\r\nabcd\r\n0\r\n\r\n") == bad);
}

TEST_CASE("a target may be a whole URL of this host", "[gateway]") {
  REQUIRE(read("GET http://a/b?c=d HTTP/1.1\r\n" + kHost + "\r\n") == Is{"GET /b?c=d "});
  REQUIRE(read("GET HTTP://A HTTP/1.1\r\n" + kHost + "\r\n") == Is{"GET / "});
  REQUIRE(read("GET http://a?c HTTP/1.1\r\n" + kHost + "\r\n") == Is{"GET /?c "});
  for (const auto* target : {"http://b/", "http://x@a/", "http:///a", "https://a/", "a", "http:/a"})
    REQUIRE(read(std::string("GET ") + target + " HTTP/1.1\r\n" + kHost + "\r\n") == Is{"400"});
}

TEST_CASE("a head has a size and so many fields", "[gateway]") {
  REQUIRE(read("GET / HTTP/1.1\r\n" + kHost + "A: " + std::string(20000, 'x')) == Is{"431"});
  REQUIRE(read(std::string(20000, 'x')) == Is{"431"});
  std::string fields = kHost;
  for (std::size_t i = 0; i < kRequestFieldsMax; ++i) fields += "A" + std::to_string(i) + ": b\r\n";
  REQUIRE(read("GET / HTTP/1.1\r\n" + fields + "\r\n") == Is{"431"});
}

TEST_CASE("a line without an end is not waited for", "[gateway]") {
  const auto head = "POST / HTTP/1.1\r\n" + kHost + "Transfer-Encoding: chunked\r\n\r\n";
  const std::string many(20000, 'x');
  REQUIRE(read(head + "5;" + many, 1000) == Is{"400"});
  REQUIRE(read(head + "0\r\nA: " + many, 1000) == Is{"400"});
  std::string fields;
  for (int i = 0; i < 5; ++i)
    fields += "A" + std::to_string(i) + ": " + std::string(4000, 'x') + "\r\n";
  REQUIRE(read("GET / HTTP/1.1\r\n" + kHost + fields + "\r\n", 1000) == Is{"431"});
}

TEST_CASE("a slash that is written as %2F is of a name, and splits no path", "[gateway]") {
  Request request{"GET", "/projects/acme%2Fx%2f/open", {}};
  REQUIRE(split_target(request));
  REQUIRE(request.segments == std::vector<std::string>{"projects", "acme/x/", "open"});
}

TEST_CASE("a target is split into what it names", "[gateway]") {
  Request request{"GET", "/task/a%20b?x=1&y=a+b&x=2", {}};
  REQUIRE(split_target(request));
  REQUIRE(request.segments == std::vector<std::string>{"task", "a b"});
  REQUIRE(*request.option("x") == "1");
  REQUIRE(*request.option("y") == "a b");
  REQUIRE_FALSE(request.option("z"));
  for (const auto* target : {"/../a", "/a/%2e%2e/b", "/a%2f..%2Fb", "/%2e%2fa", "/a%2f.", "/%",
                             "/%zz", "/a%00", "/%ff"}) {
    Request bad{"GET", target, {}};
    INFO(target);
    REQUIRE_FALSE(split_target(bad));
  }
}
