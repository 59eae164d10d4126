#include "worker/handlers/secrets.hpp"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "common/base/text.hpp"

using namespace eole;
using namespace eole::worker;

namespace {

/// A file of secrets, in a directory of its own.
class File {
 public:
  explicit File(const std::string& content, mode_t mode = 0600) {
    REQUIRE(::mkdtemp(directory_.data()) != nullptr);
    path = directory_ + "/secrets";
    std::ofstream(path, std::ios::binary) << content;
    REQUIRE(::chmod(path.c_str(), mode) == 0);
  }
  ~File() { std::filesystem::remove_all(directory_); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  std::string refusal() const {
    try {
      const Secrets secrets(path);
      return {};
    } catch (const std::runtime_error& error) {
      return std::string(error.what()).substr(text("--secrets ", path, ": ").size());
    }
  }
  std::string path;

 private:
  std::string directory_ = std::filesystem::temp_directory_path() / "eole-secrets-XXXXXX";
};

}  // namespace

TEST_CASE("a secret is found by its name, with all that its line has", "[secrets]") {
  const File file("# ours\n\nTOKEN=abc=def ghi\nOTHER_2=12345678");
  const Secrets secrets(file.path);
  CHECK(*secrets.find("TOKEN") == "abc=def ghi");
  CHECK(*secrets.find("OTHER_2") == "12345678");
  CHECK(secrets.find("NONE").error().message == "this worker has no secret NONE");
  CHECK_FALSE(Secrets().find("TOKEN"));
}

TEST_CASE("a file of secrets that is wrong is refused, and no secret is told", "[secrets]") {
  CHECK(File("A=12345678\n", 0640).refusal() == "others may read it (chmod 0600)");
  CHECK(File("hunter2hunter2\n").refusal() ==
        "line 1: is no NAME=VALUE, a name of letters, digits and _");
  CHECK(File("A=12345678\n2B=12345678\n").refusal() ==
        "line 2: is no NAME=VALUE, a name of letters, digits and _");
  CHECK(File("A=1234567\n").refusal() == "line 1: A has 7 bytes, not 8 to 4096");
  CHECK(File("A=12345678\nA=12345678\n").refusal() == "line 2: A is there twice");
  CHECK(File(std::string("A=1234567\0008\n", 12)).refusal() == "line 1: holds a zero byte");
}

TEST_CASE("a secret is masked wherever it stands, the longest first", "[secrets]") {
  Mask mask;
  mask.add("password");
  mask.add("password-and-more");
  CHECK(mask.masked("a password, password-and-more") == "a ***, ***");
  mask.add("somebody:of-theirs");
  mask.add("somebody:else");
  CHECK(mask.masked("somebody:of-theirs, of-theirs, something else") == "***, ***, something else");
  using protocol::Value;
  const Value told =
      Value::Map{{"x", Value::Array{"the password", 1}}, {"b", protocol::Blob{"password\xff"}}};
  CHECK(mask.masked_value(told) ==
        Value(Value::Map{{"x", Value::Array{"the ***", 1}}, {"b", protocol::Blob{"***\xff"}}}));
}

TEST_CASE("a secret in pieces is masked, and nothing else is lost or waits", "[secrets]") {
  Mask mask;
  mask.add("password");
  for (std::size_t cut = 0; cut <= 20; ++cut) {
    MaskedStream stream(mask);
    const std::string all = "passpasswordpass pas";
    auto told = stream.add(all.substr(0, cut));
    told += stream.add(all.substr(cut));
    CHECK(told == "pass***pass ");
    CHECK(stream.end() == "pas");
  }
  MaskedStream bytes(mask);
  CHECK(bytes.add("line\n") == "line\n");
}

TEST_CASE("of secrets that are parts of each other nothing is told, however the pieces fall",
          "[secrets]") {
  Mask mask;
  mask.add("abcdefgh");
  mask.add("abcdefghIJKL");
  mask.add("KLKLKLKL");
  const std::string all = "-abcdefghIJKL-abcdefghIJ-abcdefghIJKLKLKLKLKL-KLKLK";
  for (std::size_t cut = 0; cut <= all.size(); ++cut) {
    MaskedStream stream(mask);
    auto told = stream.add(all.substr(0, cut));
    told += stream.add(all.substr(cut));
    told += stream.end();
    CHECK(told == "-***-***IJ-***-KLKLK");
  }
  CHECK(mask.masked(all) == "-***-***IJ-***-KLKLK");
}
