#include "worker/runners/references.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "common/base/planted.hpp"
#include "common/base/shown.hpp"
#include "common/base/text.hpp"
#include "common/protocol/records.hpp"

namespace eole::worker {

using protocol::Parent;
using protocol::Value;

namespace {

constexpr std::string_view kResult = "$result";
constexpr std::string_view kPath = "path";

bool covers(const Parent& parent, const TaskId& own, const TaskId& id) {
  if (!parent.project.empty()) return false;
  const TaskId first = parent.back != 0 ? TaskId{own.origin, own.seq - parent.back} : parent.id;
  return id.origin == first.origin && id.seq >= first.seq && id.seq - first.seq < parent.count;
}

// A part of arguments that may be changed: a value shows its parts, and does not lend them.
Value* ours(const Value& part) { return const_cast<Value*>(&part); }  // NOLINT

// The parent that a reference names.
Expected<TaskId> parent_of(const Value& named, const TaskId& own,
                           const std::vector<Parent>& parents) {
  if (const auto* id_text = named.as<std::string>()) {
    const auto id = parse_task_id(*id_text);
    const bool is_parent =
        id && std::any_of(parents.begin(), parents.end(),
                          [&](const Parent& one) { return covers(one, own, *id); });
    if (!is_parent) return Error{text("$result ", shown(*id_text), ": is not one of its parents")};
    return *id;
  }
  const auto* place = named.as<std::int64_t>();
  if (place == nullptr) return Error{"$result: must be a parent's place or id"};
  if (*place < 0 || static_cast<std::uint64_t>(*place) >= parents.size())
    return Error{text("$result ", *place, ": it has ", parents.size(), " parents")};
  const auto& parent = parents[static_cast<std::size_t>(*place)];
  if (!parent.project.empty() || parent.count != 1 || parent.back >= own.seq)
    return Error{text("$result ", *place, ": is not a single task")};
  return parent.back != 0 ? TaskId{own.origin, own.seq - parent.back} : parent.id;
}

int depth_of(const Value& value) {
  int deepest = 0;
  if (const auto* items = value.as<Value::Array>()) {
    for (const auto& item : *items) deepest = std::max(deepest, depth_of(item));
    return deepest + 1;
  }
  if (const auto* members = value.as<Value::Map>()) {
    for (const auto& [name, member] : *members) deepest = std::max(deepest, depth_of(member));
    return deepest + 1;
  }
  return 0;
}

const Value* member(const Value& map, std::string_view name) {
  const auto* members = map.as<Value::Map>();
  if (members == nullptr) return nullptr;
  const auto found = std::find_if(members->begin(), members->end(),
                                  [&](const auto& each) { return each.first == name; });
  return found == members->end() ? nullptr : &found->second;
}

// What one step of a path leads to: a member of a map, or an item of a list by its number.
const Value* step(const Value& from, std::string_view name) {
  const auto* items = from.as<Value::Array>();
  if (items == nullptr) return member(from, name);
  std::size_t number = 0;
  const auto [end, failure] = std::from_chars(name.data(), name.data() + name.size(), number);
  const bool is_number = failure == std::errc() && end == name.data() + name.size();
  return is_number && number < items->size() ? &(*items)[number] : nullptr;
}

// Null if it leads nowhere.
const Value* follow(const Value& record, std::string_view path) {
  constexpr std::array<std::string_view, 4> kOfTheRecord{"artifact", "artifacts", "error", "state"};
  const Value* at = member(record, "value");
  const auto first = path.substr(0, path.find('.'));
  const bool is_own =
      std::find(kOfTheRecord.begin(), kOfTheRecord.end(), first) != kOfTheRecord.end();
  if (is_own && (at == nullptr || member(*at, first) == nullptr)) at = &record;
  for (bool is_end = path.empty(); at != nullptr && !is_end;) {
    const auto dot = path.find('.');
    at = step(*at, path.substr(0, dot));
    is_end = dot == path.npos;
    if (!is_end) path.remove_prefix(dot + 1);
  }
  return at;
}

// Why nothing can be taken from it.
std::optional<std::string> missing(const Value& record) {
  if (record.is_null()) return "its result is not in the log";
  if (record["is_kept"] == Value(false)) return "its result is no longer kept";
  if (record["state"] == Value("retrying")) return "it has no result yet";
  return std::nullopt;
}

}  // namespace

Expected<References> References::find(Value& args, const TaskId& own,
                                      const std::vector<Parent>& parents) {
  References found;
  found.bytes_ = args.to_msgpack().size();
  std::size_t count = 0;
  std::vector<Place> open{{&args, {}, 0}};  // Still to be looked at.
  while (!open.empty()) {
    const auto at = open.back();
    open.pop_back();
    if (const auto* items = at.value->as<Value::Array>()) {
      for (const auto& item : *items) open.push_back({ours(item), {}, at.depth + 1});
      continue;
    }
    const auto* members = at.value->as<Value::Map>();
    if (members == nullptr) continue;
    const auto* named = member(*at.value, kResult);
    if (named == nullptr) {
      for (const auto& [name, value] : *members) open.push_back({ours(value), {}, at.depth + 1});
      continue;
    }
    const auto* path = member(*at.value, kPath);
    if (members->size() != (path == nullptr ? 1U : 2U))
      return Error{"$result: a reference has nothing beside it but a path"};
    if (path != nullptr && path->as<std::string>() == nullptr)
      return Error{"$result: its path must be a text"};
    auto wanted = path == nullptr ? std::string() : *path->as<std::string>();
    if (wanted.size() > kPathBytesMax)
      return Error{text("$result: a path of ", wanted.size(), " bytes, limit ", kPathBytesMax)};
    const auto parent = parent_of(*named, own, parents);
    if (!parent) return parent.error();
    if (++count > kReferencesMax)
      return Error{text("$result: more than ", kReferencesMax, " references")};
    found.places_[*parent].push_back({at.value, std::move(wanted), at.depth});
  }
  return found;
}

std::vector<TaskId> References::wanted() const {
  std::vector<TaskId> parents;
  for (const auto& [parent, places] : places_) parents.push_back(parent);
  return parents;
}

Expected<void> References::put(const TaskId& parent, const Value& record) {
  const auto refuse = [&](const auto&... why) {
    return Error{text("$result ", to_text(parent), ": ", why...)};
  };
  if (const auto why = missing(record)) return refuse(*why);
  const auto state = record["state"].text_or("");
  for (auto& [value, path, depth] : places_[parent]) {
    const auto* found = follow(record, path);
    Value nothing;  // What a done task returned that returned nothing.
    if (found == nullptr && path.empty() && state == "done") found = &nothing;
    if (found == nullptr)
      return path.empty() ? refuse("it is ", state, " and has no value")
                          : refuse("it is ", state, " and has no ", shown(path));
    if (depth + depth_of(*found) > Value::kDepthMax)
      return refuse("its value is nested too deep here, limit ", Value::kDepthMax, " levels");
    bytes_ += found->to_msgpack().size();
    if (bytes_ > protocol::kTaskBytesMax && !planted("references-without-a-limit"))
      return refuse("with its value the arguments have over ", protocol::kTaskBytesMax,
                    " bytes (put large data into an artifact)");
    *value = *found;
  }
  places_.erase(parent);
  return {};
}

}  // namespace eole::worker
