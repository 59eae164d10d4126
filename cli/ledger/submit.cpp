#include <algorithm>
#include <cstdio>
#include <sstream>

#include "cli/ledger/git.hpp"
#include "cli/ledger/layout.hpp"
#include "cli/ledger/ledger.hpp"
#include "cli/ledger/tree.hpp"
#include "cli/submission.hpp"
#include "common/base/text.hpp"
#include "common/process/hash.hpp"
#include "common/process/system.hpp"

namespace eole::cli::ledger {

namespace {

struct Written {
  std::string path;
  std::string key;  // Made of what it says: the same is accepted once.
  std::vector<Value> said;
  std::vector<TaskRequest> tasks;
};

Written read(const Tree& todo, const std::string& path, const std::string& project) {
  const auto content = todo.read(path);
  if (!content) throw Failure{kBadUse, text(path, ": cannot be read")};
  auto said = read_tasks_written(*content);
  if (said && said->empty()) said = Error{"no task is written there"};
  if (!said) throw Failure{kBadUse, text(path, ": nothing was submitted\n", said.error().message)};
  Written out{
      path, "ledger-" + hex(process::sha256(project + '\0' + *content)), std::move(*said), {}};
  std::stringstream lines;
  for (const auto& task : out.said) lines << task.to_json() << '\n';
  TaskRequest preset;
  preset.task_class.project = project;
  auto tasks = client::read_tasks(lines, preset);
  if (!tasks) throw Failure{kBadUse, text(path, ": nothing was submitted\n", tasks.error().message)};
  for (const auto& task : *tasks)
    if (task.task_class.project != project)
      throw Failure{kBadUse, text(path, ": nothing was submitted\ntask ", task.line, ": project ",
                                  task.task_class.project, ", in the folder of ", project)};
  out.tasks = std::move(*tasks);
  return out;
}

// As `eole submit` does, of a file whose tasks are to be submitted.
void look_for_workers(Cluster& cluster, Written& file) {
  try {
    cli::look_for_workers(cluster, [&](const auto& on_task) {
      for (auto& task : file.tasks) on_task(task);
    });
  } catch (const Failure& failure) {
    throw Failure{failure.exit_code, text(file.path, ": ", failure.message)};
  }
}

std::vector<std::string> ids_of(const Submission& submission) {
  std::vector<std::string> ids;
  for (const auto& range : submission.ids())
    for (auto seq = range.first; seq < range.first + range.count; ++seq)
      ids.push_back(to_text(TaskId{range.origin, seq}));
  return ids;
}

}  // namespace

int submit(Cluster& cluster, const std::string& directory, const std::string& project,
           bool is_json) {
  process::StopSignal stop;
  const WhileWaiting goes_on = [&] { return stop.take() == 0; };
  Lock lock(directory);
  lock.take(goes_on);
  Repository repository(directory, "todo", lock, goes_on);
  const Tree todo(repository.path());
  const auto folder = folder_of(project);
  std::vector<Written> written;  // All of them, before anything is submitted.
  for (const auto& name : todo.files(folder))
    if (name.ends_with(".json") && !is_of_task(name))
      written.push_back(read(todo, text(folder, "/", name), project));
  for (auto& file : written) look_for_workers(cluster, file);
  for (const auto& file : written) {
    Submission submission(cluster, file.key, false);
    for (const auto& task : file.tasks) submission.add(task);
    submission.finish();
    const auto ids = ids_of(submission);
    // A file for each task in its place, which the mirror moves on.
    std::set<std::string> paths{file.path};
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const auto path = task_path(project, ids[i]);
      todo.write(path, Value(Value::Map{{"id", ids[i]}, {"task", file.said[i]}}).to_json() + "\n");
      paths.insert(path);
    }
    todo.remove(file.path);
    repository.commit(paths, text("todo: ", file.path, " submitted, ", ids.size(),
                                  ids.size() == 1 ? " task" : " tasks"));
    for (const auto& id : ids)
      is_json ? print_json(Value::Map{{"id", id}, {"file", file.path}})
              : void(std::printf("%s\n", id.c_str()));
  }
  if (written.empty() && !is_json)
    std::fprintf(stderr, "eole: %s/%s: nothing is written there that was not submitted\n",
                 shown(repository.path()).c_str(), folder.c_str());
  return kDone;
}

}  // namespace eole::cli::ledger
