#include "common/base/within.hpp"

#include <catch2/catch.hpp>

#include "common/base/owned_name.hpp"
#include "common/base/text.hpp"

using namespace eole;

TEST_CASE("a prefix has the projects whose names begin with it", "[within]") {
  const auto acme = *Within::parse("acme/");
  REQUIRE(acme.has("acme/photos"));
  REQUIRE(acme.has("acme/photos/collect"));
  REQUIRE(acme.has("acme/"));
  for (const auto* outside : {"acme", "acmecorp/photos", "Acme/photos", "/acme/photos", ""})
    REQUIRE_FALSE(acme.has(outside));
  for (const auto* project : {"", "acme/photos", "x"}) REQUIRE(Within().has(project));
}

TEST_CASE("what is no prefix is refused by name", "[within]") {
  const auto why = [](const std::string& prefix) { return Within::parse(prefix).error().message; };
  REQUIRE(why("acme") == "prefix acme: is the begin of projects' names up to a /, like acme/");
  for (const std::string prefix : {"/", "//", "/acme/", "acme//", "acme//photos/"})
    REQUIRE(why(prefix) == text("prefix ", prefix,
                                ": has nothing before a /; a name is wanted, as in acme/photos/"));
  REQUIRE_FALSE(Within::parse(""));
  REQUIRE(Within::parse_kept("acme//"));
  REQUIRE_FALSE(Within::parse_kept("acme"));
  REQUIRE(why(std::string(128, 'a') + "/") == "prefix of 129 bytes, limit 128");
  REQUIRE(Within::parse(std::string(127, 'a') + "/"));
}

TEST_CASE("who is within a prefix asks for that or for less", "[within]") {
  const auto acme = *Within::parse("acme/");
  REQUIRE(*acme.narrowed("") == acme);
  REQUIRE(*acme.narrowed("acme/") == acme);
  REQUIRE(acme.narrowed("acme/photos/")->prefix() == "acme/photos/");
  REQUIRE(acme.narrowed("zeta/").error().message == "within zeta/: this key is bound to acme/");
  REQUIRE_FALSE(acme.narrowed("acme/photos"));
  REQUIRE(Within().narrowed("zeta/")->prefix() == "zeta/");
  REQUIRE(Within().narrowed("")->is_all());
}

TEST_CASE("names within two prefixes are two names", "[within]") {
  const auto acme = *Within::parse("acme/");
  const auto zeta = *Within::parse("zeta/");
  REQUIRE(acme.own("k") != zeta.own("k"));
  REQUIRE(acme.own("k") != Within().own("k"));
  REQUIRE(acme.own("").empty());
  REQUIRE(acme.shown(acme.own("k")) == "k");
  REQUIRE(Within().shown(Within().own("k")) == "k");
  for (const auto& by : {acme, zeta, Within()}) {
    REQUIRE(owned_name(by.own("k")).by == by);
    REQUIRE(owned_name(by.own("k")).name == "k");
  }
  REQUIRE(owned_name("no prefix\nk").by.is_all());
  REQUIRE(owned_name(acme.own("zeta/\nk")).by == acme);  // Nobody passes for another.
}
