#include "cli/ledger/layout.hpp"

#include <catch2/catch.hpp>
#include <set>

using namespace eole;
using namespace eole::cli::ledger;

TEST_CASE("a project keeps its own hierarchy in a ledger", "[ledger]") {
  CHECK(folder_of("photos") == "photos");
  CHECK(folder_of("acme/photos_2026.raw/collect") == "acme/photos_2026.raw/collect");
  CHECK(task_path("acme/photos", "k3f9qz-17") == "acme/photos/k3f9qz-17.json");
  CHECK(project_path("acme/photos") == "acme/photos.json");
}

TEST_CASE("no project leads out of a ledger, into git, or into the way of another", "[ledger]") {
  CHECK(folder_of("..") == "%2e%2e");
  CHECK(folder_of("../../etc") == "%2e%2e/%2e%2e/etc");
  CHECK(folder_of("/etc/passwd") == "%/etc/passwd");
  CHECK(folder_of(".git/hooks") == "%2egit/hooks");
  CHECK(folder_of(".GIT") == "%2eGIT");
  CHECK(folder_of("a/./b") == "a/%2e/b");
  CHECK(folder_of("--upload-pack=x") == "%2d-upload-pack%3dx");
  CHECK(folder_of("a b\n\\;$(c)~1") == "a%20b%0a%5c%3b%24%28c%29%7e1");
  CHECK(folder_of("é") == "%c3%a9");
  CHECK(folder_of("k3f9qz-17.json") == "k3f9qz-17%2ejson");
  CHECK(folder_of("end.") == "end%2e");
  std::set<std::string> folders;
  const std::vector<std::string> names{
      "", "%none", "%", "/", "//", "a", "a/", "/a", "a//b", "a/b", "a%2fb", "%61", ".", "..", "%2e",
      "a.json", "a%2ejson", std::string(150, 'a'), std::string(255, 'a'), std::string(255, '.'),
      std::string(254, '.') + "a", std::string(254, 'a') + "b", std::string("a\0b", 3)};
  for (const auto& name : names) {
    const auto folder = folder_of(name);
    INFO(folder);
    CHECK(folders.insert(folder).second);
    CHECK(folder.size() < 1000);
    for (std::size_t from = 0; from <= folder.size();) {
      const auto slash = std::min(folder.find('/', from), folder.size());
      const auto step = folder.substr(from, slash - from);
      CHECK(!step.empty());
      CHECK(step.size() <= 200);
      CHECK(step.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                   "-_.%") == step.npos);
      CHECK(step.front() != '.');
      CHECK(!step.ends_with(".json"));
      from = slash + 1;
    }
  }
}

TEST_CASE("a file with a task's id is the mirror's, any other a person's", "[ledger]") {
  CHECK(is_of_task("k3f9qz-17.json"));
  CHECK(!is_of_task("k3f9qz-17"));
  CHECK(!is_of_task("k3f9qz-017.json"));
  CHECK(!is_of_task("tasks.json"));
  CHECK(!is_of_task(".json"));
}

TEST_CASE("tasks are written as one, as a list, or a line for each", "[ledger]") {
  const auto count = [](std::string_view written) {
    const auto tasks = read_tasks_written(written);
    return tasks ? static_cast<int>(tasks->size()) : -1;
  };
  CHECK(count("{\"kind\":\n\"echo\"}\n") == 1);
  CHECK(count("[{\"kind\":\"echo\"},\n {\"kind\":\"sleep\"}]") == 2);
  CHECK(count("{\"kind\":\"echo\"}\n\n{\"kind\":\"sleep\"}") == 2);
  CHECK(count("") == 0);
  CHECK(count("[]") == 0);
  const auto bad = read_tasks_written("{\"kind\":\"echo\"}\n{\"kind\"\n");
  REQUIRE(!bad);
  CHECK(bad.error().message.starts_with("line 2: "));
}

TEST_CASE("a commit says how many tasks and which offsets", "[ledger]") {
  Batch batch;
  CHECK(other_message("todo", 1, batch) == "todo: 1 file");
  batch.add(160);
  CHECK(done_message(batch) == "done: 1 task, offsets 160 to 160");
  batch.add(120);
  batch.add(121);
  CHECK(done_message(batch) == "done: 3 tasks, offsets 120 to 160");
  CHECK(other_message("tracking", 2, batch) == "tracking: 2 files, up to offset 160");
}
