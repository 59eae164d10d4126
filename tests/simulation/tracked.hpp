#pragma once
#include <functional>
#include <map>

#include "tests/simulation/asker.hpp"
#include "tests/simulation/tasks.hpp"

namespace eole::simulation {

/// Who opens a project, with a last task, and closes it (by wish, because all are there that were
/// expected, or with all its tasks); and who then may open it again to do anew what was not done.
class Tracked final : public Asker {
 public:
  using Submit = std::function<void(std::string body, Plan plan)>;
  Tracked(Fabric& fabric, Process& client, client::Asks& asks, client::Asks& sink, Submit submit)
      : Asker(fabric, client, asks), sink_(sink), submit_(std::move(submit)) {}
  void open(Origin origin);
  bool is_done() const { return origin_ == 0 || is_closed_; }

 private:
  protocol::Value wish();
  void ask_open(const protocol::Value& wish);
  void end_it();
  void close();
  void cancel(const protocol::Value& after);
  void on_closed();
  void look();
  void open_in_vain();
  void open_again();
  void open_again(const protocol::Value& wish);
  void ask_missing(const protocol::Value& from);
  void do_anew();
  void do_anew(const TaskId& id);

  client::Asks& sink_;
  Submit submit_;
  Origin origin_ = 0;
  bool is_closed_ = false;  // For good.
  std::string last_;        // The last task that was wished; empty: none was.
  std::map<TaskId, protocol::Value> missing_;
};

}  // namespace eole::simulation
