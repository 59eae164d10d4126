#pragma once
#include <functional>
#include <string>

#include "tests/simulation/asker.hpp"
#include "tests/simulation/tasks.hpp"

namespace eole::simulation {

/// Who works within a prefix of projects, up to a quota, and wants to know and to change more.
class Tenant final : public Asker {
 public:
  static constexpr const char* kPrefix = "acme/";
  /// Submits one task within kPrefix.
  using Submit = std::function<void(std::string body, Plan plan)>;
  Tenant(Fabric& fabric, Process& client, client::Asks& asks, client::Asks& sink, Submit submit)
      : Asker(fabric, client, asks), asks_(asks), sink_(sink), submit_(std::move(submit)) {}
  void begin(Origin origin);
  bool is_done() const { return origin_ == 0 || (steps_ == 0 && asked_ == 0); }

 private:
  void step();
  void submit();
  void cancel();
  void look();
  void read();
  void meddle();
  void ask_within(client::Asks& asks, client::Question question, client::Asks::OnAnswer on_answer);

  client::Asks& asks_;
  client::Asks& sink_;
  Submit submit_;
  Origin origin_ = 0;
  int steps_ = 30;
  int asked_ = 0;             // And not answered.
  std::uint64_t offset_ = 0;  // Of the log, where it reads on.
};

}  // namespace eole::simulation
