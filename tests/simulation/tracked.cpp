#include "tests/simulation/tracked.hpp"

#include "common/base/text.hpp"
#include "tests/simulation/fabric.hpp"
#include "tests/simulation/task_bodies.hpp"

namespace eole::simulation {

using protocol::Value;

void Tracked::open(Origin origin) {
  origin_ = origin;
  auto& world = fabric_.world;
  const auto project = text(kTracked, "/collect");
  const auto body = text("plain last.", world.draw(), class_mark("work", project));
  Plan plan{{"work", project}};
  plan.last_of = kTracked;
  fabric_.ledger.on_submit(body, std::move(plan));
  protocol::TaskGroups groups;
  groups.add(protocol::TaskClass{"work"}, body);
  Value wish = Value::Map{{"project", kTracked}, {"collect", protocol::Blob{groups.take()}}};
  if (world.chance(0.4)) wish.set("expected", 1 + world.below(20));
  ask_open(wish);
}

void Tracked::ask_open(const Value& wish) {
  control("open", wish, [this, wish](const Expected<Value>& answer) {
    // A full disk refuses it; and a project that is full already, if its first answer was lost.
    if (!answer && !answer.error().message.ends_with("was closed"))
      return client_.after(1s, [this, wish] { ask_open(wish); });
    if (answer)
      fabric_.ledger.projects().on_opened(origin_, std::string(kTracked), fabric_.world.now());
    client_.after(fabric_.world.between(1s, 30s), [this] { close(); });
  });
}

void Tracked::close() {
  control("close", Value::Map{{"project", kTracked}}, [this](const Expected<Value>& answer) {
    if (!answer) return client_.after(1s, [this] { close(); });
    fabric_.ledger.projects().on_closed(origin_, std::string(kTracked));
    is_closed_ = true;
  });
}

}  // namespace eole::simulation
