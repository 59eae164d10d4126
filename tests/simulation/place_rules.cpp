#include "tests/simulation/place_rules.hpp"

#include "common/base/text.hpp"
#include "common/protocol/runner_offers.hpp"

namespace eole::simulation {

using protocol::Place;

void PlaceRules::on_hello(const protocol::Hello& hello) {
  auto kinds = hello.kinds;
  ByteReader payload(hello.payload);
  const auto runners = protocol::read_runners(payload);
  for (const auto& runner : *runners)
    for (const auto& kind : runner.kinds)
      if (runner.problem.empty()) kinds += "," + kind.name;
  workers_[{hello.run, hello.hello}] = {hello.name, std::move(kinds),
                         *protocol::parse_offers(hello.labels, hello.resources)};
}

void PlaceRules::on_send(const Link& link, const protocol::TaskClass& task_class) const {
  const auto& [name, kinds, offers] = workers_.at({link.run, link.hello});
  const auto& kind = task_class.kind;
  if (text(",", kinds, ",").find("," + kind + ",") == std::string::npos)
    throw Violation{text("a task of kind ", kind, " was sent to a worker of ", kinds)};
  const auto needs = protocol::parse_needs(task_class.needs);
  for (const auto& need : *needs) {
    const auto label = offers.labels.find(need.name);
    const auto resource = offers.resources.find(need.name);
    const bool has_label = label != offers.labels.end() && label->second == need.value;
    const bool has_resource =
        resource != offers.resources.end() && need.amount && resource->second >= *need.amount;
    if (!has_label && !has_resource)
      throw Violation{text("a task that needs ", need.name, "=", need.value, " was sent to ", name,
                           ", which does not have it")};
  }
  const auto place = *protocol::parse_place(task_class.place);
  if (place.is == Place::Is::kPin && place.worker != name)
    throw Violation{text("a task that is pinned to ", place.worker, " was sent to ", name)};
}

}  // namespace eole::simulation
