#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>

#include "cli/signing.hpp"
#include "common/base/ids.hpp"
#include "common/base/text.hpp"
#include "common/kinds/signature.hpp"
#include "common/net/private_file.hpp"
#include "common/process/signing.hpp"

namespace eole::cli {

namespace {

constexpr std::size_t kKeyBytes = 32;

std::string key_in(const std::string& path) {
  struct stat is {};
  std::ifstream file(path);
  if (!file || ::stat(path.c_str(), &is) != 0)
    throw Failure{kBadUse, text(shown(path), ": ", std::strerror(errno))};
  if ((is.st_mode & 077) != 0)
    throw Failure{kBadUse, text(shown(path), ": others may read it (chmod 0600)")};
  std::string line;
  std::getline(file, line);
  auto key = kinds::bytes_of_hex(line, kKeyBytes);
  if (!key) throw Failure{kBadUse, text(shown(path), ": is no key of eole key make")};
  return std::move(*key);
}

void make(const std::string& path) {
  struct stat is {};
  if (::lstat(path.c_str(), &is) == 0)
    throw Failure{kBadUse, text(shown(path), ": is there already")};
  const auto key = process::new_signing_key();
  net::write_private_file(path, hex(key) + "\n");
  std::printf("%s\n", hex(process::public_key_of(key)).c_str());
}

void sign_input(const std::string& path) {
  const std::string json{std::istreambuf_iterator<char>(std::cin), {}};
  auto args = need(Value::from_json(json));
  if (args.as<Value::Map>() == nullptr)
    throw Failure{kBadUse, "key sign: the arguments on standard input are no JSON object"};
  sign(args, path);
  print_json(args);
}

}  // namespace

void sign(Value& args, const std::string& key_path) {
  if (key_path.empty()) return;
  const auto key = key_in(key_path);
  const kinds::Signature signature{process::public_key_of(key),
                                   process::signature_of(key, kinds::bytes_to_sign(args))};
  args.set(std::string(kinds::kSignature), signature.text());
}

void add_key(Command& app, Globals&) {
  auto* command =
      app.add_subcommand("key", "Keys that vouch for commands, where workers ask for it");
  command->require_subcommand(1, 1);
  auto path = std::make_shared<std::string>();
  const auto sub = [&](const char* name, const char* about, void (*act)(const std::string&)) {
    auto* one = command->add_subcommand(name, about);
    one->add_option("file", *path, "of the key, mode 0600")->required();
    one->callback([=] { act(*path); });
  };
  sub("make", "Make one, and print its public half: a line for worker --signed-by", make);
  sub("sign", "Print a command's arguments, JSON from standard input, with their signature",
      sign_input);
  command->footer(
      "  eole key make mine.key >> signers && worker --allow-exec --signed-by signers\n"
      "  eole submit exec --sign mine.key -- make test\n"
      "Exit codes: 0 done, 2 bad input.");
}

}  // namespace eole::cli
