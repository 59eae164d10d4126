#include "sink/core/runs.hpp"

#include <algorithm>

#include "common/base/planted.hpp"

namespace eole::sink {

std::uint64_t Runs::level(RunId run, Origin origin) const {
  const auto known = runs_.find(run);
  if (known == runs_.end()) return 0;
  const auto level = known->second.levels.find(origin);
  return level == known->second.levels.end() ? 0 : level->second;
}

bool Runs::may_use(RunId run, std::string_view user) const {
  const auto known = runs_.find(run);
  return known == runs_.end() || known->second.user->first == user || planted("runs-are-anyones");
}

void Runs::use(RunId id, Run& run) {
  auto& used = run.user->second;
  run.used_unix_ms = unix_ms_;
  if (!used.empty() && used.rbegin()->second == id) return;
  used.erase({run.use, id});
  run.use = ++uses_;
  used.emplace_hint(used.end(), run.use, id);
}

bool Runs::claim(RunId run, std::string_view user) {
  const auto [known, is_new] = runs_.try_emplace(run);
  if (!is_new) return false;
  known->second.user = users_.try_emplace(std::string(user)).first;
  use(run, known->second);
  auto& used = known->second.user->second;
  if (used.size() > kRunsPerUserMax && !planted("runs-kept-for-ever")) {
    runs_.erase(used.begin()->second);
    used.erase(used.begin());
  }
  return true;
}

void Runs::raise(RunId run, Origin origin, std::uint64_t level) {
  const auto known = runs_.find(run);
  if (known == runs_.end()) return;
  use(run, known->second);
  auto& highest = known->second.levels[origin];
  highest = std::max(highest, level);
}

std::size_t Runs::most_of_a_user() const {
  std::size_t most = 0;
  for (const auto& [user, runs] : users_) most = std::max(most, runs.size());
  return most;
}

void Runs::set_time(std::int64_t unix_ms) {
  unix_ms_ = std::max(unix_ms_, unix_ms);
  if (planted("old-runs-kept")) return;
  for (auto user = users_.begin(); user != users_.end();) {
    auto& used = user->second;
    while (!used.empty()) {
      const auto oldest = runs_.find(used.begin()->second);
      if (oldest->second.used_unix_ms + kRunAgeMaxMs > unix_ms_) break;
      runs_.erase(oldest);
      used.erase(used.begin());
    }
    user = used.empty() ? users_.erase(user) : std::next(user);
  }
}

void Runs::save(SavePlace& place, Bytes& out) const {
  if (planted("checkpoint-forgets-runs")) return;
  for (auto run = runs_.lower_bound(place.number); run != runs_.end() && out.size() < kPartBytesMax;
       ++run) {
    if (place.origin != 0) return;  // The highest number was there.
    const auto& [id, entry] = *run;
    put<std::uint64_t>(out, id);
    put<std::uint64_t>(out, entry.use);
    put<std::int64_t>(out, entry.used_unix_ms);
    put<std::uint32_t>(out, static_cast<std::uint32_t>(entry.user->first.size()));
    put<std::uint32_t>(out, static_cast<std::uint32_t>(entry.levels.size()));
    out += entry.user->first;
    for (const auto& [origin, level] : entry.levels) {
      put<std::uint32_t>(out, origin);
      put<std::uint64_t>(out, planted("checkpoint-forgets-levels") ? 0 : level);
    }
    place.number = id + 1;
    if (id == UINT64_MAX) place.origin = 1;
  }
}

bool Runs::load(std::string_view payload) {
  ByteReader reader(payload);
  while (!reader.is_done()) {
    const auto id = reader.get<std::uint64_t>();
    const auto use = reader.get<std::uint64_t>();
    const auto used_unix_ms = reader.get<std::int64_t>();
    const auto user_bytes = reader.get<std::uint32_t>();
    const auto levels = reader.get<std::uint32_t>();
    const auto user = reader.take(user_bytes);
    if (!reader.ok()) return false;
    claim(id, user);
    auto& run = runs_.at(id);
    auto& used = run.user->second;
    used.erase({run.use, id});
    run.use = use;
    run.used_unix_ms = used_unix_ms;
    used.emplace(use, id);
    uses_ = std::max(uses_, use);
    for (std::uint32_t i = 0; i < levels && reader.ok(); ++i) {
      auto& level = run.levels[reader.get<std::uint32_t>()];
      level = std::max(level, reader.get<std::uint64_t>());
    }
  }
  return reader.ok();
}

}  // namespace eole::sink
