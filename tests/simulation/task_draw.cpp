#include "tests/simulation/task_draw.hpp"

#include "common/base/text.hpp"
#include "common/protocol/trace.hpp"
#include "tests/simulation/fabric.hpp"
#include "tests/simulation/task_bodies.hpp"

namespace eole::simulation {

namespace {
constexpr std::size_t kParentsKept = 20;
using protocol::kTraceBytes;
}

TaskDraw::Drawn TaskDraw::draw(std::uint32_t before) {
  auto body = draw_body();
  Plan plan{draw_class(body)};
  draw_conditions(plan, before);
  if (fabric_.world.chance(0.2)) plan.trace = text(name_, body).substr(0, kTraceBytes);
  plan.trace.resize(plan.trace.empty() ? 0 : kTraceBytes, 't');
  body += class_mark(plan.task_class.kind, plan.task_class.project);
  return {std::move(body), std::move(plan)};
}

std::string TaskDraw::draw_body() {
  auto& world = fabric_.world;
  const auto& weather = fabric_.weather;
  std::string body = world.chance(weather.poison)    ? std::string(kPoison)
                     : world.chance(weather.failing) ? std::string(kFailing)
                     : world.chance(weather.making)  ? std::string(kMaking)
                                                     : "plain";
  return body + text(" ", name_, ".", world.draw(), std::string(world.below(300), 'x'));
}

protocol::TaskClass TaskDraw::draw_class(const std::string& body) {
  auto& world = fabric_.world;
  const bool may_be_quick = !body.starts_with(kPoison) && !body.starts_with(kMaking);
  const bool is_quick = may_be_quick && world.chance(0.3);
  // In a slot it is lost instead, which is tried again unasked.
  const bool retry = body.starts_with(kFailing) && (is_quick || body.size() % 2 == 0);
  protocol::TaskClass task_class{is_quick ? "quick" : "work", text("p", world.below(2)), 0,
                                 static_cast<std::uint8_t>(retry ? 1 : 0)};
  if (!is_quick && body.starts_with("plain") && world.chance(0.1)) task_class.timeout_ms = 300;
  if (!is_quick && !fabric_.weather.is_calm() && world.chance(0.5)) task_class.speculate = 1;
  draw_place(task_class);
  if (world.chance(0.2)) task_class.priority = static_cast<std::uint8_t>(world.below(3));
  if (retry && world.chance(0.3)) {
    task_class.attempts_max = static_cast<std::uint8_t>(2 + world.below(2));
    task_class.backoff_ms = 50;
    if (world.chance(0.5)) task_class.retry_on = "exit:75";
  }
  return task_class;
}

// There is a worker that has all of it: the first one.
void TaskDraw::draw_place(protocol::TaskClass& task_class) {
  auto& world = fabric_.world;
  if (world.chance(fabric_.weather.needing))
    task_class.needs = text("licence=", 1 + world.below(kLicences));
  if (world.chance(0.1)) task_class.needs += text(task_class.needs.empty() ? "" : ",", kLabel);
  const auto worker = [&](std::uint64_t number) {
    return text("worker", name_.substr(6, name_.size() - 7),
                number);  // Of the client's ventilator.
  };
  if (world.chance(0.1)) task_class.place = "spread";
  if (world.chance(0.05)) task_class.place = "pin=" + worker(1);
  if (world.chance(0.05)) task_class.place = "prefer=" + worker(1 + world.below(4));
}

// A task of the tracked project waits for nothing that may wait for the project.
void TaskDraw::draw_conditions(Plan& plan, std::uint32_t before) {
  auto& world = fabric_.world;
  const auto& weather = fabric_.weather;
  auto& conditions = plan.conditions;
  const auto some = [&](Duration most) {
    return static_cast<std::uint64_t>(world.between(1ms, most) / 1ms);
  };
  if (world.chance(weather.delayed)) {
    if (world.chance(0.7)) conditions.delay_ms = some(5s);
    if (world.chance(0.4))
      conditions.not_before_unix_ms = static_cast<std::uint64_t>(world.wall_ms()) + some(5s);
  }
  if (world.chance(weather.expiring)) {
    if (world.chance(0.6)) conditions.expires_in_ms = some(8s);
    if (world.chance(0.6))
      conditions.expires_unix_ms = static_cast<std::uint64_t>(world.wall_ms()) + some(8s);
  }
  if (weather.projects > 0 && world.chance(0.3)) {
    plan.task_class.project = kTracked;
    return;
  }
  if (world.chance(weather.keyed)) {
    conditions.key = text("k", world.below(3));
    plan.task_class.speculate = 0;
  }
  if (world.chance(weather.after)) draw_parents(plan, before);
}

void TaskDraw::draw_parents(Plan& plan, std::uint32_t before) {
  auto& world = fabric_.world;
  for (auto count = 1 + world.below(3); count > 0; --count) {
    protocol::Parent parent;
    if (fabric_.weather.projects > 0 && world.chance(0.2)) {
      parent.project = kTracked;
    } else if (before > 0 && (accepted_.empty() || world.chance(0.5))) {
      parent.back = 1 + static_cast<std::uint32_t>(world.below(before));
      parent.count = 1 + static_cast<std::uint32_t>(world.below(parent.back));
    } else if (!accepted_.empty()) {
      parent.id = accepted_[world.below(accepted_.size())];
    } else {
      continue;
    }
    protocol::put_parent(plan.conditions.parents, parent);
    plan.parents.push_back(std::move(parent));
  }
  plan.task_class.on_parent_failure = static_cast<std::uint8_t>(world.below(3));
}

void TaskDraw::on_accepted(const TaskId& id) {
  if (accepted_.size() >= kParentsKept) accepted_.erase(accepted_.begin());
  accepted_.push_back(id);
}

}  // namespace eole::simulation
