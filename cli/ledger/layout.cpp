#include "cli/ledger/layout.hpp"

#include <algorithm>
#include <cctype>

#include "common/base/text.hpp"
#include "common/process/hash.hpp"

namespace eole::cli::ledger {

namespace {

// None of these is what a name becomes: there two hexadecimal letters follow a %.
constexpr std::string_view kNoProject = "%none";
constexpr std::string_view kNoName = "%";  // Between two slashes.
constexpr std::string_view kCut = "%%";
constexpr std::string_view kEnding = ".json";  // Of files, so of no folder.
constexpr std::size_t kNameMax = 200;          // A file system takes 255 with the ending.
constexpr std::size_t kKeptOfLong = 100;

bool is_plain(char letter) {
  const auto byte = static_cast<unsigned char>(letter);
  return byte < 0x80 && (std::isalnum(byte) != 0 || letter == '-' || letter == '_');
}

std::string escaped(std::string_view name) {
  if (name.empty()) return std::string(kNoName);
  std::string out;
  for (std::size_t i = 0; i < name.size(); ++i) {
    // No .git and no .., nothing hidden, no option, nothing that looks like a file of ours.
    const bool is_fit = is_plain(name[i]) ? i > 0 || name[i] != '-'
                                          : name[i] == '.' && i > 0 && name.substr(i) != kEnding &&
                                                i + 1 < name.size();
    out += is_fit ? std::string(1, name[i]) : "%" + hex(name.substr(i, 1));
  }
  if (out.size() <= kNameMax) return out;
  return text(out.substr(0, kKeptOfLong), kCut, hex(process::sha256(name)));
}

}  // namespace

std::string folder_of(std::string_view project) {
  if (project.empty()) return std::string(kNoProject);
  std::string out;
  for (std::size_t from = 0; from <= project.size();) {
    const auto slash = std::min(project.find('/', from), project.size());
    out += text(from == 0 ? "" : "/", escaped(project.substr(from, slash - from)));
    from = slash + 1;
  }
  return out;
}

std::string task_path(std::string_view project, std::string_view id) {
  return text(folder_of(project), "/", id, kEnding);
}

std::string project_path(std::string_view project) { return text(folder_of(project), kEnding); }

bool is_of_task(std::string_view name) {
  if (!name.ends_with(kEnding)) return false;
  const auto id = name.substr(0, name.size() - kEnding.size());
  const auto task = parse_task_id(id);
  return task && to_text(*task) == id;
}

Expected<std::vector<Value>> read_tasks_written(std::string_view written) {
  std::vector<Value> tasks;
  if (auto whole = Value::from_json(written)) {
    if (const auto* list = whole->as<Value::Array>()) return *list;
    tasks.push_back(std::move(*whole));
    return tasks;
  }
  for (std::uint64_t number = 1; !written.empty(); ++number) {
    const auto line = written.substr(0, written.find('\n'));
    written.remove_prefix(std::min(written.size(), line.size() + 1));
    if (line.find_first_not_of(" \t\r") == line.npos) continue;
    auto task = Value::from_json(line);
    if (!task) return Error{text("line ", number, ": ", task.error().message)};
    tasks.push_back(std::move(*task));
  }
  return tasks;
}

void Batch::add(std::uint64_t offset) {
  first = records == 0 ? offset : std::min(first, offset);
  last = std::max(last, offset);
  ++records;
}

std::string done_message(const Batch& batch) {
  return text("done: ", batch.records, batch.records == 1 ? " task" : " tasks", ", offsets ",
              batch.first, " to ", batch.last);
}

std::string other_message(std::string_view name, std::size_t files, const Batch& batch) {
  return text(name, ": ", files, files == 1 ? " file" : " files",
              batch.records == 0 ? "" : text(", up to offset ", batch.last));
}

}  // namespace eole::cli::ledger
