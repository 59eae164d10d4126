#include "cli/dead_edit.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "common/base/text.hpp"

namespace eole::cli {

using protocol::Value;

namespace {

// Set in words of the task, or its arguments: the value that a path of names leads to.
Value with(const Value& value, std::string_view path, Value wanted) {
  if (path.empty()) return wanted;
  const auto dot = std::min(path.find('.'), path.size());
  const auto name = path.substr(0, dot);
  const auto rest = path.substr(std::min(dot + 1, path.size()));
  Value out = value.as<Value::Map>() == nullptr ? Value(Value::Map{}) : value;
  out.set(std::string(name), with(value[name], rest, std::move(wanted)));
  return out;
}

/// A file of one's own that goes when this does.
class OwnFile {
 public:
  OwnFile() : path_((std::filesystem::temp_directory_path() / "eole-task-XXXXXX").string()) {
    fd_ = ::mkstemp(path_.data());
  }
  ~OwnFile() {
    if (fd_ < 0) return;
    ::close(fd_);
    ::unlink(path_.c_str());
  }
  OwnFile(const OwnFile&) = delete;
  OwnFile& operator=(const OwnFile&) = delete;
  bool is_open() const { return fd_ >= 0; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  int fd_ = -1;
};

const char* editor() {
  for (const auto* name : {"VISUAL", "EDITOR"})
    if (const auto* set = std::getenv(name); set != nullptr && *set != '\0') return set;
  return "vi";
}

std::string quoted(const std::string& word) {
  std::string out = "'";
  for (const char one : word) out += one == '\'' ? "'\\''" : std::string(1, one);
  return out + "'";
}

}  // namespace

Expected<void> set_words(Value& words, const std::vector<std::string>& settings) {
  for (const auto& setting : settings) {
    const auto equals = setting.find('=');
    if (equals == 0 || equals == std::string::npos)
      return Error{text("--set ", setting, ": is NAME=VALUE, like priority=5 or args.timeout=60")};
    const auto written = setting.substr(equals + 1);
    const auto json = Value::from_json(written);
    words = with(words, std::string_view(setting).substr(0, equals), json ? *json : Value(written));
  }
  return {};
}

Expected<Value> edit_words(const Value& words) {
  const OwnFile file;
  if (!file.is_open()) return Error{text(file.path(), ": cannot be made")};
  std::string lines;
  for (const auto& [name, value] : *words.as<Value::Map>())
    lines += text(lines.empty() ? "{\n  " : ",\n  ", Value(name).to_json(), ": ", value.to_json());
  std::ofstream(file.path()) << lines << "\n}\n";
  const auto command = text(editor(), " ", quoted(file.path()));
  if (const int status = std::system(command.c_str()); status != 0)  // NOLINT: a shell's line.
    return Error{text(command, ": ",
                      status < 0          ? "cannot be started"
                      : WIFEXITED(status) ? text("ended with ", WEXITSTATUS(status))
                                          : text("was ended by signal ", WTERMSIG(status)),
                      "; nothing was replayed")};
  std::ifstream opened(file.path());
  const std::string written(std::istreambuf_iterator<char>(opened), {});
  if (written.find_first_not_of(" \t\r\n") == std::string::npos)
    return Error{"an empty file; nothing was replayed"};
  return Value::from_json(written);
}

}  // namespace eole::cli
