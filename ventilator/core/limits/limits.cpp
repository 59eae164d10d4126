#include "ventilator/core/limits/limits.hpp"

#include <algorithm>
#include <array>
#include <tuple>

#include "common/base/text.hpp"

namespace eole::ventilator {

namespace {

constexpr std::uint64_t kCountMost = 1ULL << 40;

std::optional<double> number_of(const protocol::Value& value) {
  if (const auto* whole = value.as<std::int64_t>()) return static_cast<double>(*whole);
  if (const auto* number = value.as<double>()) return *number;
  return std::nullopt;
}

}  // namespace

Expected<LimitWish> parse_limit(const Scope& scope, const protocol::Value& written) {
  if (scope.of == Scope::Of::kWorker) return Error{"a worker is limited by its slots"};
  if (scope.of == Scope::Of::kKey && !written["running"].is_null())
    return Error{"running: of a key one task runs at a time, so it has a rate only"};
  LimitWish wish;
  const bool is_tenant = scope.of == Scope::Of::kTenant;
  const std::array<std::tuple<const char*, std::uint64_t*, bool>, 3> counts{
      {{"running", &wish.running, !is_tenant},
       {"queued", &wish.queued, is_tenant},
       {"bytes", &wish.bytes, is_tenant}}};
  for (const auto& [name, count, is_for_it] : counts) {
    const auto& said = written[name];
    if (said.is_null()) continue;
    if (!is_for_it)
      return Error{text(
          name, ": ",
          is_tenant ? "a tenant is limited by queued, bytes and rate" : "is a limit of a tenant")};
    const auto most = said.int_or(0);
    if (most < 1 || static_cast<std::uint64_t>(most) > kCountMost)
      return Error{text(name, ": a number of ", count == &wish.bytes ? "bytes" : "tasks",
                        ", limits 1 and ", kCountMost)};
    *count = static_cast<std::uint64_t>(most);
  }
  if (const auto& rate = written["rate"]; !rate.is_null()) {
    const auto per_second = number_of(rate);
    if (!per_second || !(*per_second >= kRateLeast && *per_second <= kRateMost))
      return Error{"rate: tasks a second, limits 0.000001 and 1000000000"};
    wish.rate = *per_second;
  }
  return wish;
}

void each_limit(const Wishes& wishes, const OnLimit& on_limit) {
  wishes.each("limit", [&](const std::string& about, std::string_view value) {
    const auto scope = parse_scope(about);
    const auto map = protocol::Value::from_msgpack(value);
    if (!scope || !map) return;
    if (const auto wish = parse_limit(*scope, *map)) on_limit(*scope, *wish);
  });
}

Limits::Limits(const Wishes& wishes, TimePoint now) {
  each_limit(wishes, [&](const Scope& scope, const LimitWish& wish) {
    if (scope.of != Scope::Of::kKey) set(scope, wish, now);
  });
  wishes.each("pause", [this](const std::string& about, std::string_view) {
    if (const auto scope = parse_scope(about)) pauses_.set(*scope, true);
  });
}

void Limits::set(const Scope& scope, const LimitWish& wish, TimePoint now) {
  if (scope.of == Scope::Of::kTenant)
    return quotas_.set(scope.name, {wish.queued, wish.bytes, wish.rate}, now);
  caps_.set(scope, wish.running);
  rates_.set(scope, wish.rate, now);
}

void Limits::begin_turn(const TaskClasses& classes, const std::vector<std::uint64_t>& leased,
                        TimePoint now) {
  rates_.refresh(now);
  if (caps_.is_empty()) return;
  caps_.recount();
  for (ClassId id = 0; id < leased.size(); ++id)
    if (leased[id] > 0) caps_.count(classes.at(id), leased[id]);
}

std::uint64_t Limits::room(const protocol::TaskClass& task_class, TimePoint now) const {
  auto room = kNoLimit;
  for (const auto* limit : all()) room = std::min(room, limit->room(task_class, now));
  return room;
}

void Limits::on_leased(const protocol::TaskClass& task_class, std::uint64_t count, TimePoint now) {
  pauses_.on_leased(task_class, count, now);
  caps_.on_leased(task_class, count, now);
  rates_.on_leased(task_class, count, now);
}

std::optional<TimePoint> Limits::next_deadline() const {
  std::optional<TimePoint> next;
  for (const auto* limit : all())
    if (const auto when = limit->next_deadline()) next = next ? std::min(*next, *when) : *when;
  return next;
}

std::optional<Why> Limits::why(const protocol::TaskClass& task_class) const {
  for (const auto* limit : all())
    if (auto why = limit->why(task_class)) return why;
  return std::nullopt;
}

}  // namespace eole::ventilator
