#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "cli/ledger/layout.hpp"
#include "cli/ledger/ledger.hpp"
#include "cli/ledger/tree.hpp"
#include "common/base/counted.hpp"
#include "common/base/text.hpp"
#include "common/kinds/part_output.hpp"

namespace eole::cli::ledger {

namespace {

constexpr std::size_t kMissingShownMax = 8;

struct Place {
  TaskId part_of;  // The first task that was to do it.
  std::int64_t offset = 0;
  std::string path;
  std::string told;  // "k3f9qz-17 failed"
  bool is_done = false;
};

Value record_of(const Tree& done, const std::string& path) {
  const auto content = done.read(path);
  auto record = content ? Value::from_json(*content) : Expected<Value>(Error{"cannot be read"});
  const auto name = path.substr(path.rfind('/') + 1);
  if (record && (*record)["id"].text_or("") + ".json" != name) record = Error{"is no such record"};
  if (!record)
    throw Failure{kNotDone, text("done/", path, ": ", record.error().message,
                                 " (git checkout has it as it was)")};
  return *record;
}

Place place_of(const Value& record, const std::string& path) {
  const auto id = record["id"].text_or("");
  const auto part_of = parse_task_id(record["instead_of"].text_or(id));
  const auto state = record["state"].text_or("");
  if (!part_of) throw Failure{kNotDone, text("done/", path, ": is instead of no task")};
  return {*part_of, record["offset"].int_or(0), path, text(id, " ", state), state == "done"};
}

// What lies in done does not say what should: the project's tracking does.
void check_count(const std::string& directory, const std::string& project, std::size_t count) {
  if (!std::filesystem::is_directory(directory + "/tracking")) {
    std::fprintf(stderr, "eole: %s/tracking: is not there, so it is not known whether there were "
                 "more tasks\n", shown(directory).c_str());
    return;
  }
  const auto content = Tree(directory + "/tracking").read(project_path(project));
  const auto view = content ? Value::from_json(*content) : Expected<Value>(Error{});
  if (!view || (*view)["project"].text_or("") != project)
    throw Failure{kNotDone, text("project ", project, ": nothing is known of it in tracking")};
  const auto of = [&](const char* name) { return (*view)[name].int_or(0); };
  const auto going = of("waiting") + of("queued") + of("running");
  if (going > 0)
    throw Failure{kNotDone, text("project ", project, ": ", going, " of its tasks have not ended")};
  if (static_cast<std::int64_t>(count) != of("tasks"))
    throw Failure{kNotDone, text("project ", project, ": done has ", count, " of its ",
                                 counted(of("tasks"), "task"))};
}

void check_done(const std::string& project, const std::vector<Place>& places) {
  std::size_t missing = 0;
  std::string named;
  for (const auto& place : places) {
    if (place.is_done || ++missing > kMissingShownMax) continue;
    named += (named.empty() ? "" : ", ") + place.told;
  }
  if (missing > 0)
    throw Failure{kNotDone, text("project ", project, ": ", missing, " of ", places.size(),
                                 missing == 1 ? " parts was" : " parts were", " not done: ", named,
                                 missing > kMissingShownMax ? ", …" : "")};
}

// Errors: it is not in the record.
Expected<std::string> output_of(const Value& record, const std::string& how) {
  if (how == "json") return record["value"].to_json();
  if (auto whole = kinds::check_whole(record); !whole) return whole.error();
  const auto files = kinds::files_of(record);
  if (files.empty()) return kinds::own_bytes_of(record);
  return Error{text("its output is artifact ", files.front()["sha256"].text_or(""),
                    ", which the sink has (eole fetch)")};
}

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

}  // namespace

int rebuild(const std::string& directory, const std::string& project, const std::string& how,
            const std::string& output) {
  const Tree done(directory + "/done");
  const auto folder = folder_of(project);
  std::vector<Place> places;
  for (const auto& name : done.files(folder))
    if (is_of_task(name)) {
      const auto path = text(folder, "/", name);
      places.push_back(place_of(record_of(done, path), path));
    }
  if (places.empty())
    throw Failure{kNotDone, text("project ", project, ": done has no task of it")};
  check_count(directory, project, places.size());
  std::sort(places.begin(), places.end(), [](const Place& one, const Place& other) {
    return std::pair(one.part_of, one.offset) < std::pair(other.part_of, other.offset);
  });
  kinds::keep_one_of_each(places);
  check_done(project, places);
  const auto each = [&](const auto& take) {
    for (const auto& place : places) {
      const auto bytes = output_of(record_of(done, place.path), how);
      if (!bytes)
        throw Failure{kNotDone, text("part ", place.path, ": ", bytes.error().message)};
      take(*bytes);
    }
  };
  each([](const std::string&) {});  // All of them, before anything is written.
  const std::unique_ptr<std::FILE, CloseFile> file(
      output.empty() ? nullptr : std::fopen(output.c_str(), "wxe"));
  if (!output.empty() && !file)
    throw Failure{kBadUse, text(output, ": cannot be made, or is there already")};
  auto* out = file ? file.get() : stdout;
  const bool is_list = how == "json";
  std::size_t count = 0;
  const auto put = [&](std::string_view bytes) { std::fwrite(bytes.data(), 1, bytes.size(), out); };
  each([&](const std::string& bytes) {
    if (is_list) put(count++ == 0 ? "[" : ",\n");
    put(bytes);
  });
  if (is_list) put("]\n");
  if (file && (std::fflush(out) != 0 || std::ferror(out) != 0)) {
    std::filesystem::remove(output);
    throw Failure{kNotDone, text(output, ": cannot be written")};
  }
  flush_output();
  return kDone;
}

}  // namespace eole::cli::ledger
