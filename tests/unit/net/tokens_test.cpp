#include "common/net/tokens.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "common/base/text.hpp"

using namespace eole;
using Catch::Matchers::Contains;
using net::Role;
using net::Token;
using net::TokenTable;

namespace {

/// A table in a directory of its own.
struct Place {
  std::filesystem::path directory =
      std::filesystem::temp_directory_path() / text("eole-tokens-", ::getpid(), "-", ++made);
  std::string path = (directory / "tokens.toml").string();
  static inline int made = 0;
  Place() { std::filesystem::create_directories(directory); }
  ~Place() { std::filesystem::remove_all(directory); }
  std::string content() const {
    std::ostringstream out;
    out << std::ifstream(path).rdbuf();
    return out.str();
  }
};

Token token(const std::string& name, Role role = Role::kSubmit, const std::string& prefix = "") {
  return {name, std::string(64, 'a'), role, prefix, 1'800'000'000'000};
}
std::string why_not(const Token& token) {
  const auto checked = net::check_token(token);
  return checked ? "" : checked.error().message;
}

}  // namespace

TEST_CASE("a token is there once it was added, until it is taken away", "[tokens]") {
  const Place place;
  TokenTable one(place.path);
  TokenTable other(place.path);
  CHECK(one.tokens().empty());
  REQUIRE(one.add(token("ci", Role::kSubmit, "acme/")));
  REQUIRE(other.add(token("boss", Role::kAdmin)));
  CHECK(one.tokens() ==
        std::vector{token("ci", Role::kSubmit, "acme/"), token("boss", Role::kAdmin)});
  CHECK(one.add(token("ci")).error().message ==
        "token ci: there is one of that name; revoke it first");
  const auto changes = one.changes();
  CHECK(one.tokens().size() == 2);
  CHECK(one.changes() == changes);
  REQUIRE(other.remove("ci"));
  CHECK(one.tokens() == std::vector{token("boss", Role::kAdmin)});
  CHECK(one.changes() == changes + 1);
  CHECK(other.remove("ci").error().message == "token ci: there is none");
  std::filesystem::remove(place.path);
  CHECK(one.tokens().empty());
}

TEST_CASE("a token gets another role, and all else of it stays", "[tokens]") {
  const Place place;
  TokenTable one(place.path);
  TokenTable other(place.path);
  REQUIRE(one.add(token("ci", Role::kSubmit, "acme/")));
  REQUIRE(one.add(token("boss", Role::kAdmin)));
  REQUIRE(one.tokens().size() == 2);
  const auto changes = one.changes();
  REQUIRE(other.set_role("ci", Role::kObserve));
  std::vector both{token("ci", Role::kObserve, "acme/"), token("boss", Role::kAdmin)};
  both[0].changes = 1;
  CHECK(one.tokens() == both);
  CHECK(one.changes() == changes + 1);
  CHECK(other.set_role("nobody", Role::kAdmin).error().message == "token nobody: there is none");
  for (const auto* within : {"acme/x/", "zeta/"}) {  // As if it had been replaced meanwhile.
    CHECK(other.set_role("ci", Role::kAdmin, within).error().message == "token ci: there is none");
    CHECK(other.remove("ci", within).error().message == "token ci: there is none");
  }
  CHECK(other.set_role("ci", Role::kObserve, "acme/"));  // It has it already.
  CHECK(other.set_role("ci", Role::kWork).error().message ==
        "role work: one of observe, submit, admin");
  CHECK(TokenTable(place.path).tokens() == both);
  REQUIRE(one.set_role("boss", Role::kSubmit));
  REQUIRE(one.set_role("boss", Role::kAdmin));
  CHECK(other.tokens()[1] != both[1]);  // Who looks only now sees that there was something.
}

TEST_CASE("what is shown is random, and not in the table", "[tokens]") {
  std::uint64_t next = 1;
  const auto shown = net::make_token([&] { return next++; });
  CHECK(shown == "eole_0100000000000000020000000000000003000000000000000400000000000000");
  const Place place;
  TokenTable table(place.path);
  REQUIRE(table.add(token("ci")));
  struct stat status {};
  REQUIRE(::stat(place.path.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
}

TEST_CASE("what cannot be a token is refused by name", "[tokens]") {
  CHECK(why_not(token("ci")).empty());
  CHECK_THAT(why_not(token("")), Contains("letters, digits, - and _, 64 at most"));
  CHECK_THAT(why_not(token("a b")), Contains("name a b"));
  CHECK_THAT(why_not(token(std::string(65, 'x'))), Contains("64 at most"));
  CHECK_THAT(why_not(token("ci", Role::kWork)),
             Contains("role work: one of observe, submit, admin"));
  CHECK_THAT(why_not(token("ci", Role::kSubmit, "acme")),
             Contains("prefix acme: is the begin of projects' names up to a /"));
  for (const auto* prefix : {"/", "/acme/", "acme//"})
    CHECK_THAT(why_not(token("ci", Role::kSubmit, prefix)), Contains("has nothing before a /"));
  CHECK_THAT(why_not(token("ci", Role::kSubmit, std::string(128, 'x') + "/")),
             Contains("prefix of 129 bytes, limit 128"));
  auto bad = token("ci");
  bad.sha256.pop_back();
  CHECK_THAT(why_not(bad), Contains("64 lower-case letters"));
}

TEST_CASE("a table that cannot be relied on lets nobody in", "[tokens]") {
  const Place place;
  TokenTable table(place.path);
  REQUIRE(table.add(token("ci")));
  REQUIRE(table.tokens().size() == 1);
  SECTION("open to others") {
    ::chmod(place.path.c_str(), 0640);
    CHECK_THROWS_WITH(table.tokens(), Contains("others can read it, chmod it to 0600"));
    ::chmod(place.path.c_str(), 0600);
    CHECK(table.tokens().size() == 1);
  }
  SECTION("half written") {
    std::ofstream(place.path) << place.content() << "[[token";
    CHECK_THROWS_WITH(table.tokens(), Contains("line "));
    CHECK_THROWS_WITH(table.tokens(), Contains("line "));
  }
  SECTION("with a role that is none") {
    std::ofstream(place.path) << "[[token]]\nname = 'x'\nrole = 'king'\n";
    CHECK_THROWS_WITH(table.tokens(), Contains("token 1: role king"));
  }
  SECTION("with a prefix that is none") {
    std::ofstream(place.path) << "[[token]]\nname = 'x'\nrole = 'admin'\nprefix = 5\n";
    CHECK_THROWS_WITH(table.tokens(), Contains("token 1: prefix: is no text"));
  }
}
