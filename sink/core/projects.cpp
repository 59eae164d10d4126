#include "sink/core/projects.hpp"

#include <algorithm>
#include <limits>

#include "common/base/planted.hpp"

namespace eole::sink {

void Projects::count(const protocol::ResultRun& run, std::uint64_t offset) {
  const auto& result = run.first;
  if (result.project.empty()) return;
  // Mostly it is the one that was counted last.
  auto found = by_offset_.empty() ? projects_.end() : by_offset_.rbegin()->second;
  if (found == projects_.end() || found->first != result.project)
    found = projects_.find(result.project);
  const bool is_new = found == projects_.end();
  if (is_new) found = projects_.try_emplace(std::string(result.project)).first;
  auto& project = found->second;
  if (is_new) project.first_offset = offset;
  project.counts[static_cast<std::size_t>(result.state)] += run.count;
  const auto finished = result.finished_unix_ms;
  project.first_unix_ms = is_new ? finished : std::min(project.first_unix_ms, finished);
  project.last_unix_ms = is_new ? finished : std::max(project.last_unix_ms, finished);
  last_ends_.push_back({offset, project.first_offset, run.count});
  if (last_ends_.size() > kLastEndsMax) last_ends_.pop_front();
  move(found, offset);
}

// The log has one record at an offset: no two projects share it.
void Projects::move(List::iterator project, std::uint64_t offset) {
  const auto before = by_offset_.find(project->second.last_offset);
  const bool is_known = before != by_offset_.end() && before->second == project;
  if (is_known) {
    auto node = by_offset_.extract(before);
    node.key() = offset;
    by_offset_.insert(by_offset_.end(), std::move(node));
  } else {
    by_offset_.insert_or_assign(offset, project);
  }
  project->second.last_offset = offset;
  if (projects_.size() <= kProjectsMax || planted("projects-without-limit")) return;
  const auto oldest = by_offset_.begin();
  projects_.erase(oldest->second);
  by_offset_.erase(oldest);
}

const Projects::Project* Projects::find(std::string_view name) const {
  const auto found = projects_.find(name);
  return found == projects_.end() ? nullptr : &found->second;
}

std::uint64_t Projects::Ends::behind(std::uint64_t from) const {
  return offset + count - std::min(offset + count, std::max(offset, from));
}

std::uint64_t Projects::counted_since(std::uint64_t offset, const Project& project) const {
  std::uint64_t counted = 0;
  for (auto at = last_ends_.rbegin(); at != last_ends_.rend() && at->behind(offset) > 0; ++at)
    if (at->of == project.first_offset) counted += at->behind(offset);
  return counted;
}

// By their offsets: who is counted meanwhile is said again behind it.
void Projects::save(SavePlace& place, Bytes& out) const {
  if (planted("checkpoint-forgets-projects")) return;
  for (auto at = by_offset_.lower_bound(place.number);
       at != by_offset_.end() && out.size() < kPartBytesMax; ++at) {
    const auto& [name, project] = *at->second;
    put<std::uint64_t>(out, project.last_offset);
    put<std::uint64_t>(out, project.first_offset);
    put<std::int64_t>(out, project.first_unix_ms);
    put<std::int64_t>(out, project.last_unix_ms);
    for (const auto state : {protocol::TaskState::kDone, protocol::TaskState::kFailed,
                             protocol::TaskState::kDead, protocol::TaskState::kCancelled})
      put<std::uint64_t>(out, project.counts[static_cast<std::size_t>(state)]);
    put<std::uint8_t>(out, static_cast<std::uint8_t>(name.size()));
    out += name;
    place.number = project.last_offset + 1;
  }
}

bool Projects::load(std::string_view payload) {
  ByteReader reader(payload);
  while (!reader.is_done()) {
    const auto offset = reader.get<std::uint64_t>();
    Project said;
    said.first_offset = reader.get<std::uint64_t>();
    said.first_unix_ms = reader.get<std::int64_t>();
    said.last_unix_ms = reader.get<std::int64_t>();
    for (const auto state : {protocol::TaskState::kDone, protocol::TaskState::kFailed,
                             protocol::TaskState::kDead, protocol::TaskState::kCancelled})
      said.counts[static_cast<std::size_t>(state)] = reader.get<std::uint64_t>();
    const auto name = reader.take(reader.get<std::uint8_t>());
    if (!reader.ok() || name.empty()) return false;
    const auto project = projects_.try_emplace(std::string(name)).first;
    said.last_offset = project->second.last_offset;
    project->second = said;
    move(project, offset);
  }
  return true;
}

}  // namespace eole::sink
