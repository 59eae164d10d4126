#include "worker/handlers/parts.hpp"

#include <algorithm>
#include <utility>

#include "common/base/counted.hpp"
#include "common/base/planted.hpp"
#include "common/base/shown.hpp"
#include "common/base/text.hpp"
#include "common/kinds/part_output.hpp"
#include "common/protocol/task_class.hpp"

namespace eole::worker {

using protocol::Value;

Parts::Parts(std::string path)
    : path_(std::move(path)), written_(path_, std::ios::binary | std::ios::trunc) {}

Expected<void> Parts::add(const Value& result) {
  const auto written = result["id"].text_or("");
  const auto id = parse_task_id(written);
  if (!id) return Error{text("part ", shown(written), ": is no task's id")};
  const auto part_of = parse_task_id(result["instead_of"].text_or(written));
  if (!part_of) return Error{text("part ", shown(written), ": is instead of no task")};
  if (places_.size() >= kPartsMax) return Error{text("more than ", kPartsMax, " parts")};
  const bool is_done = result["state"].text_or("") == "done";
  Value part = Value::Map{{"id", written}};
  if (!is_done) part.set("state", result["state"]);
  for (const auto* name : {"value", "artifact", "artifacts"})
    if (is_done && !result[name].is_null()) part.set(name, result[name]);
  const auto bytes = part.to_msgpack();
  written_.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (written_.fail()) return Error{text("cannot write ", path_)};
  places_.push_back({*part_of, bytes_, static_cast<std::uint32_t>(bytes.size()), is_done});
  bytes_ += bytes.size();
  return {};
}

Expected<void> Parts::put_in_order() {
  written_.close();
  if (written_.fail()) return Error{text("cannot write ", path_)};
  read_.open(path_, std::ios::binary);
  const auto lies_before = [](const Place& one, const Place& other) {
    return std::pair(one.part_of, one.offset) < std::pair(other.part_of, other.offset);
  };
  if (!planted("parts-as-they-ended")) std::sort(places_.begin(), places_.end(), lies_before);
  kinds::keep_one_of_each(places_);
  std::size_t missing = 0;
  std::string named;
  for (std::size_t i = 0; i < places_.size(); ++i) {
    if (places_[i].is_done || planted("missing-parts-left-out")) continue;
    if (++missing > kMissingShownMax) continue;
    const auto part = at(i);
    if (!part) return part.error();
    named += text(named.empty() ? "" : ", ", (*part)["id"].text_or(""), " ",
                  (*part)["state"].text_or(""));
  }
  if (missing == 0) return {};
  return Error{text(missing, " of ", places_.size(), missing == 1 ? " parts was" : " parts were",
                    " not done: ", named, missing > kMissingShownMax ? ", …" : "")};
}

Expected<Value> Parts::at(std::size_t index) {
  const auto& place = places_[index];
  Bytes bytes(place.bytes, '\0');
  read_.seekg(static_cast<std::streamoff>(place.offset));
  read_.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (read_.fail()) return Error{text("cannot read ", path_)};
  return Value::from_msgpack(bytes);
}

std::string last_task_of(const TaskContext& context) {
  auto project = context.project();
  if (!project.ends_with(protocol::kCollectSuffix)) return {};
  project.resize(project.size() - protocol::kCollectSuffix.size());
  return project;
}

Expected<void> gather(Parts& parts, const std::string& project, TaskContext& context) {
  std::uint64_t tasks = 0;
  Value from;
  do {
    const auto page = context.parts(project, from);
    if (!page) return page.error();
    if (page->is_null()) return Error{"the sink knows no task of it that has ended"};
    tasks = static_cast<std::uint64_t>((*page)["tasks"].int_or(0));
    if (const auto* list = (*page)["parts"].as<Value::Array>())
      for (const auto& part : *list)
        if (auto added = parts.add(part); !added) return added;
    from = (*page)["next"];
    context.progress(parts.size(), tasks, "reading");
  } while (!from.is_null());
  if (parts.size() != tasks)
    return Error{text("the log has ", parts.size(), " of its ", counted(tasks, "part"))};
  return parts.put_in_order();
}

}  // namespace eole::worker
