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

/// A table of keys with one key, which may submit.
struct Keys {
  std::string path =
      (std::filesystem::temp_directory_path() / text("eole-router-", ::getpid(), ".toml")).string();
  Keys() {
    std::ofstream(path) << "[[key]]\npublic = '" << kSubmitter << "'\nroles = ['submit']\n";
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
          return {};
        });
    router.take<protocol::LogHead>(
        {Role::kSettle, Role::kAdmin},
        [this](protocol::LogHead& log, const net::Sender&) { taken.push_back(log.head); });
  }
  void send(protocol::Message message) {
    router.route({"peer", "", kSubmitter, std::move(message)});
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
              {0, "log_head: this key does not have the role settle or admin"},
              {8, "cancel: bad ranges"},
              {0, "cancel: fields missing, or of the wrong type or size"},
              {0, "log_head: this key does not have the role settle or admin"},
              {0, "message refused is not for a rig"},
              {0, "head: not one flat msgpack array of at most 24 numbers and texts"}});
}
