#include "cli/pins.hpp"

#include <cstdio>
#include <vector>

#include "common/base/nearest.hpp"
#include "common/base/text.hpp"
#include "common/protocol/needs.hpp"

namespace eole::cli {

void look_for_pins(Cluster& cluster, const std::set<std::string>& places) {
  std::set<std::string> missing;
  for (const auto& written : places)
    if (const auto place = protocol::parse_place(written); place && place->is == protocol::Place::Is::kPin)
      missing.insert(place->worker);
  if (missing.empty()) return;
  const auto workers = cluster.ventilator.query("workers");
  const auto* list = workers ? workers->as<Value::Array>() : nullptr;
  if (list == nullptr) return;
  std::vector<std::string> names;
  for (const auto& worker : *list) {
    names.push_back(worker["name"].text_or(""));
    missing.erase(names.back());
  }
  for (const auto& name : missing) {
    const auto near = nearest(name, names);
    std::fprintf(stderr, "eole: no connected worker is named %s%s; what is pinned to it waits for it\n",
                 shown(name).c_str(),
                 near.empty() ? "" : text(" (did you mean ", shown(near), "?)").c_str());
  }
}

}  // namespace eole::cli
