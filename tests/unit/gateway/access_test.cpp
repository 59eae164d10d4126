#include <catch2/catch.hpp>
#include <map>

#include "common/base/ids.hpp"
#include "common/base/text.hpp"
#include "common/process/hash.hpp"
#include "gateway/core/access/guesses.hpp"
#include "gateway/core/access/session.hpp"

using namespace eole;
using namespace eole::gateway;
using net::Role;

namespace {

constexpr std::int64_t kNow = 1'800'000'000'000;

net::Token token_of(const std::string& name, const std::string& shown) {
  return {name, hex(process::sha256(shown)), Role::kSubmit, "acme/", kNow};
}

/// Tokens by name.
struct Known {
  std::map<std::string, net::Token, std::less<>> tokens;
  std::optional<Caller> read(std::string_view session, std::int64_t now = kNow) const {
    return look(session, now).caller;
  }
  Session look(std::string_view session, std::int64_t now = kNow) const {
    return read_session(
        session,
        [&](std::string_view name) {
          const auto found = tokens.find(name);
          return found == tokens.end() ? nullptr : &found->second;
        },
        now);
  }
};

}  // namespace

TEST_CASE("who submits sees, too, and an admin may do everything", "[gateway]") {
  const auto who = [](std::optional<Role> role) { return Caller{"x", role}; };
  CHECK(may(who({}), {}));
  CHECK(!may(who({}), Role::kObserve));
  CHECK(may(who(Role::kObserve), Role::kObserve));
  CHECK(!may(who(Role::kObserve), Role::kSubmit));
  CHECK(may(who(Role::kSubmit), Role::kObserve));
  CHECK(may(who(Role::kSubmit), Role::kSubmit));
  CHECK(!may(who(Role::kSubmit), Role::kAdmin));
  for (const auto role : {Role::kObserve, Role::kSubmit, Role::kAdmin})
    CHECK(may(who(Role::kAdmin), role));
}

TEST_CASE("a token that had another role meanwhile is not the same", "[gateway]") {
  auto token = token_of("ci", "eole_1");
  const auto caller = caller_of(token);
  CHECK(is_same(caller, token));
  auto other = token;
  other.role = Role::kObserve;
  CHECK(!is_same(caller, other));
  other = token;
  other.prefix = "zeta/";
  CHECK(!is_same(caller, other));
  token.changes = 2;  // There and back.
  CHECK(!is_same(caller, token));
}

TEST_CASE("a session says who it is until it runs out or its token goes", "[gateway]") {
  Known known;
  const auto token = known.tokens["ci"] = token_of("ci", "eole_1");
  const auto session = make_session(token, kNow);
  const auto caller = known.read(session);
  REQUIRE(caller);
  CHECK(caller->name == "ci");
  CHECK(caller->role == Role::kSubmit);
  CHECK(caller->prefix == "acme/");
  CHECK(caller->until == kNow + kSessionMs);
  CHECK(known.read(session, kNow + kSessionMs - 1));
  CHECK(!known.read(session, kNow + kSessionMs));
  SECTION("revoked") { known.tokens.clear(); }
  SECTION("made anew under the same name") { known.tokens["ci"] = token_of("ci", "eole_2"); }
  CHECK(!known.read(session));
}

TEST_CASE("a session that is over is no guess", "[gateway]") {
  Known known;
  const auto token = known.tokens["ci"] = token_of("ci", "eole_1");
  const auto session = make_session(token, kNow);
  CHECK(!known.look(session).is_over);
  CHECK(known.look(session, kNow + kSessionMs).is_over);
  known.tokens.clear();
  CHECK(known.look(session).is_over);
}

TEST_CASE("nobody makes a session, or changes one", "[gateway]") {
  Known known;
  const auto token = known.tokens["ci"] = token_of("ci", "eole_1");
  known.tokens["root"] = token_of("root", "eole_2");
  const auto session = make_session(token, kNow);
  const auto proof = session.substr(session.rfind('.'));
  for (const auto& forged :
       {std::string(), std::string("ci"), std::string("ci.1"), text("ci.", kNow + kSessionMs, "."),
        text("root.", kNow + kSessionMs, proof), text("ci.", kNow + kSessionMs + 1, proof),
        text("ci.", kNow + kSessionMs, "x", proof), text("ci.-", proof), session + "0",
        text("ci.", kNow + kSessionMs, ".", token.sha256)}) {
    INFO(forged);
    CHECK(!known.read(forged));
    CHECK(!known.look(forged).is_over);  // It is a guess.
  }
}

TEST_CASE("a cookie is for this server alone, and for no script", "[gateway]") {
  CHECK(set_cookie("eole-80", "x", true) ==
        "eole-80=x; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict; Secure");
  CHECK(set_cookie("eole-80", "", false) ==
        "eole-80=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict");
  http::Request request;
  request.fields = {{"cookie", "a=b; eole-8080=no;eole-80=ci.1.f00 ; c"}};
  CHECK(cookie_in(request, "eole-80") == "ci.1.f00");
  CHECK(cookie_in(request, "eole-81").empty());
  CHECK(cookie_in(request, "c").empty());
}

TEST_CASE("a token stands behind Bearer", "[gateway]") {
  const auto bearer = [](const std::string& field) {
    http::Request request;
    request.fields = {{"authorization", field}};
    return std::string(bearer_in(request));
  };
  CHECK(bearer("Bearer eole_1") == "eole_1");
  CHECK(bearer("bearer  eole_1 ") == "eole_1");
  for (const auto* field : {"", "Bearer", "Bearer ", "Basic eole_1", "eole_1"})
    CHECK(bearer(field).empty());
}

TEST_CASE("who guesses is answered so often a second, and others as before", "[gateway]") {
  Guesses guesses;
  const TimePoint start{1h};
  for (std::uint32_t i = 0; i < Guesses::kGuessesMax; ++i)
    CHECK(guesses.guess("10.0.0.1", start + i * 1ms));
  CHECK(!guesses.guess("10.0.0.1", start + 999ms));
  CHECK(guesses.guess("10.0.0.2", start + 999ms));
  CHECK(guesses.guess("10.0.0.1", start + 1s));
}

TEST_CASE("guesses of many addresses take no more memory", "[gateway]") {
  Guesses guesses;
  const TimePoint start{1h};
  for (std::size_t i = 0; i < Guesses::kGuessersMax; ++i)
    REQUIRE(guesses.guess(text("a", i), start));
  CHECK(!guesses.guess("one more", start + 500ms));
  CHECK(guesses.guess("one more", start + 1s));
}
