#include "common/net/router.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

using namespace eole;
using net::Role;

namespace {

const std::string kSubmitter(40, 'a');
const std::string kBound(40, 'b');

/// A table of keys: one may submit, one within acme/.
struct Keys {
  std::string path =
      (std::filesystem::temp_directory_path() / text("eole-router-", ::getpid(), ".toml")).string();
  Keys() {
    std::ofstream(path) << "[[key]]\npublic = '" << kSubmitter << "'\nroles = ['submit']\n"
                        << "[[key]]\npublic = '" << kBound
                        << "'\nroles = ['submit', 'admin']\nprefix = 'acme/'\n";
    ::chmod(path.c_str(), 0600);
  }
  ~Keys() { std::filesystem::remove(path); }
};

/// A role that takes cancels and heads of logs.
struct Rig {
  Keys keys;
  net::Authority authority{keys.path, std::string(40, 's')};
  std::vector<protocol::Refused> refused;
  std::vector<std::uint64_t> taken;
  std::string within;  // Of the cancel that was taken last.
  net::Router router{"a rig", &authority, [this](const net::Sender& to, protocol::Refused answer) {
                       REQUIRE(to.peer == "peer");
                       refused.push_back(std::move(answer));
                     }};
  Rig() {
    router.take<protocol::Cancel>(
        {Role::kAdmin, Role::kSubmit},
        [this](protocol::Cancel& cancel, const net::Sender&) -> Expected<void> {
          if (cancel.payload == "bad") return Error{"cancel: bad ranges"};
          taken.push_back(cancel.request);
          within = cancel.within;
          return {};
        });
    router.take<protocol::LogHead>(
        {Role::kSettle, Role::kAdmin},
        [this](protocol::LogHead& log, const net::Sender&) { taken.push_back(log.head); });
  }
  void send(protocol::Message message, const std::string& user = kSubmitter) {
    router.route({"peer", "", user, std::move(message)});
  }
};

}  // namespace

TEST_CASE("a message goes to the handler of its name, from a key with one of its roles", "[net]") {
  Rig rig;
  rig.send(encode(protocol::Cancel{7, 1, "ranges"}));
  REQUIRE(rig.taken == std::vector<std::uint64_t>{7});
  REQUIRE(rig.refused.empty());
}

TEST_CASE("what is forbidden, wrong or malformed is refused in its request's name", "[net]") {
  Rig rig;
  rig.send(encode(protocol::LogHead{1, 2}));
  rig.send(encode(protocol::Cancel{8, 1, "bad"}));
  rig.send({protocol::HeadWriter(protocol::Cancel::kName, 0).take(), ""});
  rig.send({encode(protocol::LogHead{1, 2}).head, "a payload"});
  rig.send(encode(protocol::Refused{9, "no"}));
  rig.send({"\xc1", ""});
  REQUIRE(rig.taken.empty());
  REQUIRE(rig.refused ==
          std::vector<protocol::Refused>{
              {0, "log_head: this key does not have the role settle or admin", "denied"},
              {8, "cancel: bad ranges"},
              {0, "cancel: fields missing, or of the wrong type or size"},
              {0, "log_head: this key does not have the role settle or admin", "denied"},
              {0, "message refused is not for a rig"},
              {0, "head: not one flat msgpack array of at most 24 numbers and texts"}});
}

TEST_CASE("what a bound key sends is within its prefix, or goes no further", "[net]") {
  Rig rig;
  const auto cancel = [&](const std::string& user, const std::string& within) {
    rig.within = "not taken";
    rig.send(encode(protocol::Cancel{7, 1, "ranges", within}), user);
    return rig.within;
  };
  REQUIRE(cancel(kSubmitter, "").empty());
  REQUIRE(cancel(kSubmitter, "zeta/") == "zeta/");
  REQUIRE(cancel(kBound, "") == "acme/");
  REQUIRE(cancel(kBound, "acme/photos/") == "acme/photos/");
  REQUIRE(rig.refused.empty());
  REQUIRE(cancel(kBound, "zeta/") == "not taken");
  REQUIRE(cancel(kSubmitter, "zeta") == "not taken");
  rig.send(encode(protocol::LogHead{1, 2}), kBound);
  REQUIRE(rig.refused ==
          std::vector<protocol::Refused>{
              {7, "cancel: within zeta/: this key is bound to acme/", "outside"},
              {7, "cancel: prefix zeta: is the begin of projects' names up to a /, like acme/"},
              {0, "log_head: this key is bound to acme/, and this tells of all", "outside"}});
}
