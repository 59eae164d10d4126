#include "common/net/security.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "common/base/text.hpp"

using namespace eole;
using Catch::Matchers::Contains;
using net::Authority;

namespace {

const std::string kServer(40, 's');
const std::string kOne(40, 'a');
const std::string kTwo(40, 'b');

/// A table in a directory of its own.
struct Table {
  std::filesystem::path directory =
      std::filesystem::temp_directory_path() / text("eole-keys-", ::getpid(), "-", ++made);
  std::string path = (directory / "keys.toml").string();
  static inline int made = 0;
  Table() { std::filesystem::create_directories(directory); }
  ~Table() { std::filesystem::remove_all(directory); }
  void write(const std::string& content, int mode = 0600) const {
    std::ofstream(path + ".new") << content;
    ::chmod((path + ".new").c_str(), static_cast<mode_t>(mode));
    std::filesystem::rename(path + ".new", path);
  }
  static std::string entry(const std::string& key, const std::string& roles) {
    return text("[[key]]\npublic = '", key, "'\nroles = [", roles, "]\n");
  }
  std::string why_not() const {
    try {
      Authority(path, kServer);
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return {};
  }
};

}  // namespace

TEST_CASE("a key table that cannot be relied on is refused with its reason", "[net]") {
  const Table table;
  REQUIRE_THAT(table.why_not(), Contains("No such file"));
  table.write(Table::entry(kOne, "'work'"), 0644);
  REQUIRE_THAT(table.why_not(), Contains("others can read it"));
  table.write("[[key]]\npublic = ");
  REQUIRE_THAT(table.why_not(), Contains("line 2"));
  table.write(Table::entry(kOne, "'work'") + Table::entry(kTwo, "'wrok'"));
  REQUIRE_THAT(table.why_not(), Contains("key 2: role wrok: there are submit, work"));
  table.write(Table::entry("short", "'work'"));
  REQUIRE_THAT(table.why_not(), Contains("key 1: public: 5 letters, a key has 40"));
  table.write(Table::entry(kOne, "'work'"));
  REQUIRE(table.why_not().empty());
}

TEST_CASE("a revocation is counted, an addition is not", "[net]") {
  const Table table;
  const auto one = Table::entry(kOne, "'work', 'observe'");
  table.write(one);
  Authority authority(table.path, kServer);
  REQUIRE(authority.revocations() == 0);
  table.write(one + Table::entry(kTwo, "'observe'"));
  REQUIRE(authority.revocations() == 0);
  REQUIRE(authority.knows(kTwo));
  table.write(Table::entry(kOne, "'work'") + Table::entry(kTwo, "'observe'"));
  REQUIRE(authority.revocations() == 1);
  table.write(Table::entry(kOne, "'work'"));
  REQUIRE(authority.revocations() == 2);
  REQUIRE_FALSE(authority.knows(kTwo));
}

TEST_CASE("a key is bound to its prefix, and has no role that tells of all", "[net]") {
  const Table table;
  const auto bound = Table::entry(kOne, "'submit', 'admin'");
  table.write(bound + "prefix = 'acme/'\n" + Table::entry(kTwo, "'work'"));
  Authority authority(table.path, kServer);
  REQUIRE(authority.within(kOne).prefix() == "acme/");
  REQUIRE(authority.within(kTwo).is_all());
  REQUIRE(authority.within(kServer).is_all());
  REQUIRE_FALSE(authority.within("nobody").has(std::string(255, '/')));
  REQUIRE(Authority().within("").is_all());
  table.write(bound + "prefix = 'acme'\n");
  REQUIRE_THAT(table.why_not(), Contains("key 1: prefix acme: is the begin"));
  table.write(bound + "prefix = 'acme//'\n");
  REQUIRE_THAT(table.why_not(), Contains("key 1: prefix acme//: has nothing before a /"));
  table.write(bound + "prefix = ''\n");
  REQUIRE_THAT(table.why_not(), Contains("key 1: prefix : is the begin"));
  table.write(bound + "prefix = 5\n");
  REQUIRE_THAT(table.why_not(), Contains("key 1: prefix"));
  table.write(Table::entry(kOne, "'submit', 'work'") + "prefix = 'acme/'\n");
  REQUIRE_THAT(table.why_not(),
               Contains("key 1: role work: a key with a prefix has submit, observe and admin"));
}

TEST_CASE("a key that is bound is one from which something was taken", "[net]") {
  const Table table;
  const auto one = Table::entry(kOne, "'submit'");
  table.write(one);
  Authority authority(table.path, kServer);
  REQUIRE(authority.revocations() == 0);
  table.write(one + "prefix = 'acme/'\n");
  REQUIRE(authority.revocations() == 1);
  table.write(one + "prefix = 'acme/photos/'\n");
  REQUIRE(authority.revocations() == 2);
  table.write(one + "prefix = 'acme/'\n");
  REQUIRE(authority.revocations() == 2);
  table.write(one + "prefix = 'zeta/'\n");
  REQUIRE(authority.revocations() == 3);
}

TEST_CASE("a key that is authorised with a prefix is bound to it", "[net]") {
  const Table table;
  net::authorize(table.path, kOne, "acme", {net::Role::kSubmit}, *Within::parse("acme/"));
  net::authorize(table.path, kTwo, "all", {net::Role::kSubmit});
  Authority authority(table.path, kServer);
  REQUIRE(authority.within(kOne).prefix() == "acme/");
  REQUIRE(authority.within(kTwo).is_all());
}

TEST_CASE("a table that goes bad while it is used lets nobody in, and is told", "[net]") {
  const Table table;
  table.write(Table::entry(kOne, "'work'"));
  Authority authority(table.path, kServer);
  REQUIRE(authority.knows(kOne));
  SECTION("removed") { std::filesystem::remove(table.path); }
  SECTION("open to others") { ::chmod(table.path.c_str(), 0640); }
  SECTION("malformed") { table.write("[[key"); }
  REQUIRE_FALSE(authority.knows(kOne));
  REQUIRE(authority.knows(kServer));
  REQUIRE_THROWS_WITH(authority.revocations(), Contains(table.path));
  table.write(Table::entry(kOne, "'work'"));  // Its role has to start anew.
  REQUIRE_THROWS_WITH(authority.revocations(), Contains(table.path));
}
