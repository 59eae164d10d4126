#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "clients/cpp/session/asks.hpp"
#include "common/protocol/value.hpp"
#include "tests/simulation/process.hpp"
#include "tests/simulation/project_rules.hpp"
#include "worker/core/events.hpp"
#include "worker/handlers/parts.hpp"
#include "worker/runners/references.hpp"

namespace eole::simulation {

/// What a task asks the sink before it runs: what a parent of it came to, or all tasks of its
/// project.
class Lookups {
 public:
  /// `queries`: where the sink answers.
  Lookups(Fabric& fabric, Process& process, net::Transport& transport, const std::string& queries)
      : fabric_(fabric),
        process_(process),
        session_(transport),
        asks_(session_, queries, "the sink") {}
  /// `then`: once it knows what it wants to know, which may be nothing.
  void look(const worker::StartTask& task, const std::function<void()>& then);
  void turn() { session_.turn(); }
  std::optional<TimePoint> next_turn() const { return session_.next_turn(); }

 private:
  void take_result(const worker::StartTask& task, const protocol::Parent& parent,
                   const std::function<void()>& then);
  /// What the sink told of a project so far, and the same as a collect has it, in a file.
  struct Gathered {
    Gathered();
    ~Gathered();
    Gathered(const Gathered&) = delete;
    Gathered& operator=(const Gathered&) = delete;
    std::string path;
    ProjectRules::Told told = {};
    worker::Parts parts;
  };
  void take_parts(const worker::StartTask& task, const protocol::Value& from,
                  std::shared_ptr<Gathered> gathered, const std::function<void()>& then);
  void put_together(const TaskId& last, Gathered& gathered);
  void ask(const std::string& what, const TaskId& id, const protocol::Value& options,
           const std::string& within, client::Asks::OnAnswer on_answer);

  Fabric& fabric_;
  Process& process_;
  client::Session session_;
  client::Asks asks_;
};

}  // namespace eole::simulation
