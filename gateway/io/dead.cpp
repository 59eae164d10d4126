#include "gateway/io/dead.hpp"

#include <algorithm>
#include <map>
#include <optional>

#include "clients/cpp/tasks/dead_groups.hpp"
#include "clients/cpp/tasks/letter_words.hpp"
#include "common/base/shown.hpp"
#include "common/base/text.hpp"
#include "common/process/log.hpp"
#include "gateway/io/answers.hpp"
#include "gateway/io/gateway.hpp"

namespace eole::gateway {

using http::Problem;

namespace {

using Answered = awaitable<std::optional<http::Response>>;

constexpr std::size_t kLettersMax = 100'000;  // That one request replays or discards.
constexpr std::uint32_t kListedMax = 1000;    // In one page of the list, as in one of the sink's.
constexpr int kPagesOfListMax = 10;           // Of the sink, looked through for one of what fits.
constexpr double kReplayRateMin = 0.001;  // Tasks a second: the last of all would come in years.
constexpr double kReplayRateMax = 1'000'000;

/// What letters are meant: by id, or by project, kind and reason as far as they are said.
struct Filter {
  std::vector<std::string> ids;
  std::string project;
  std::string kind;
  std::string group;
  bool fits(const Value& letter) const {
    return (kind.empty() || letter["kind"].text_or("") == kind) &&
           (group.empty() || client::group_of(letter) == group);
  }
};

// The members of a body that says which letters, and what else it may have.
std::vector<Member> members(std::vector<Member> more) {
  using enum Member::Is;
  more.insert(more.end(), {{"ids", kList},
                           {"project", kName},
                           {"kind", kName},
                           {"group", kName},
                           {"all", kFlag},
                           {"dry_run", kFlag}});
  return more;
}

Filter filter_of(const Value& asked) {
  Filter filter{
      {}, asked["project"].text_or(""), asked["kind"].text_or(""), asked["group"].text_or("")};
  if (const auto* ids = asked["ids"].as<Value::Array>())
    for (const auto& id : *ids) {
      if (!parse_task_id(id.text_or("")))
        throw Problem(400, text("ids: ", id.to_json(), ": is no task's id"));
      filter.ids.push_back(id.text_or(""));
    }
  const bool is_all = asked["all"] == Value(true);
  const bool is_some = !(filter.ids.empty() && filter.project.empty() && filter.kind.empty() &&
                         filter.group.empty());
  if (is_all == is_some) throw Problem(400, "give ids, project, kind or group; or all: true");
  return filter;
}

Filter filter_of(const http::Request& request) {
  const auto said = [&](std::string_view name) { return request.option(name).value_or(""); };
  return {{}, said("project"), said("kind"), said("group")};
}

// The letters that fit, the oldest first, until `most` were found.
awaitable<Value::Array> letters(Ring ring, Filter filter, std::size_t most) {
  Value::Array all;
  Value options = Value::Map{};
  if (!filter.project.empty()) options.set("project", filter.project);
  while (true) {
    const auto page = need(co_await ring.sink("dead", {}, options));
    const auto* list = page["letters"].as<Value::Array>();
    if (list != nullptr)
      for (const auto& letter : *list) {
        if (!filter.fits(letter)) continue;
        if (all.size() == most)
          throw Problem(413, text("over ", most, " letters, the limit: name less of them"));
        all.push_back(letter);
      }
    if (list == nullptr || page["next"].is_null()) co_return all;
    options.set("after", page["next"]);
  }
}

// A page may be short, or empty, and have one behind it: in what was looked through no more fits.
Answered list(Ring ring, http::Request request) {
  const auto filter = filter_of(request);
  const auto most = count_of(request, "limit", kListedMax, kListedMax);
  auto options = options_of(request, {{"project", "project"}, {"after", "after", true}});
  const bool is_all = filter.kind.empty() && filter.group.empty();
  if (is_all) options.set("most", most);
  const auto pages_max = is_all ? 1 : kPagesOfListMax;
  Value::Array all;
  Value next;
  for (int pages = 0; pages < pages_max && all.size() < most; ++pages) {
    const auto page = need(co_await ring.sink("dead", {}, options));
    next = page["next"];
    const auto* some = page["letters"].as<Value::Array>();
    for (std::size_t i = 0; some != nullptr && i < some->size(); ++i) {
      if (!filter.fits((*some)[i])) continue;
      auto& letter = all.emplace_back((*some)[i]);
      letter.set("group", client::group_of(letter));
      if (all.size() < most) continue;
      if (i + 1 < some->size()) next = letter["offset"];
      break;
    }
    if (next.is_null()) break;
    options.set("after", next);
  }
  co_return json(200, Value::Map{{"letters", std::move(all)}, {"next", std::move(next)}});
}

// The most frequent reason first.
Answered groups(Ring ring, http::Request request) {
  const auto all = co_await letters(ring, filter_of(request), kLettersMax);
  client::DeadGroups dead;
  for (const auto& letter : all) dead.add(letter);
  Value::Array out;
  for (const auto& [reason, group] : dead.groups()) {
    Value::Map kinds;
    for (const auto& [kind, count] : group.kinds) kinds.emplace_back(kind, count);
    Value::Map hours;
    for (const auto& [hour, count] : group.hours) hours.emplace_back(hour, count);
    out.push_back(Value::Map{{"group", reason},
                             {"count", group.count},
                             {"kinds", std::move(kinds)},
                             {"hours", std::move(hours)},
                             {"oldest", group.oldest},
                             {"newest", group.newest},
                             {"example", group.example}});
  }
  std::stable_sort(out.begin(), out.end(), [](const Value& one, const Value& other) {
    return one["count"].int_or(0) > other["count"].int_or(0);
  });
  co_return json(200, Value::Map{{"groups", std::move(out)}, {"others", dead.others()}});
}

awaitable<std::vector<std::string>> ids_of(Ring ring, Filter filter) {
  if (!filter.ids.empty()) co_return filter.ids;
  std::vector<std::string> ids;
  const auto all = co_await letters(ring, std::move(filter), kLettersMax);
  for (const auto& letter : all) ids.push_back(letter["id"].text_or(""));
  co_return ids;
}

// A letter's task, as POST /task takes it.
Answered task(Ring ring, std::string written) {
  const auto id = parse_task_id(written);
  if (!id) throw Problem(404, text("dead letter ", written, ": is no task's id"));
  const auto spec = need(co_await ring.sink("spec", *id));
  const auto* blob = spec.as<protocol::Blob>();
  if (blob == nullptr)
    throw Problem(404, text(written, ": is no dead letter, or its task is lost"));
  const auto read = client::task_of_spec(blob->bytes);
  if (!read) throw problem_of({text(written, ": ", read.error().message), read.error().code});
  co_return json(200, Value::Map{{"id", written}, {"task", client::words_of(*read)}});
}

// Tasks a second; nothing: all at once.
std::optional<double> rate_of(const Value& asked) {
  if (asked["rate"].is_null()) return {};
  const auto* real = asked["rate"].as<double>();
  const auto rate = real == nullptr ? static_cast<double>(asked["rate"].int_or(0)) : *real;
  if (rate >= kReplayRateMin && rate <= kReplayRateMax) return rate;
  const auto why = text("rate: tasks a second, limits ", kReplayRateMin, " and ", kReplayRateMax);
  throw Problem(400, why, {{"/rate", why}});
}

// Of so many before it at that rate. As a delay of its own it holds whoever is killed meanwhile.
Bytes spread(Bytes spec, std::size_t before, double rate) {
  auto task = client::task_of_spec(spec);
  if (!task || before == 0) return spec;
  task->conditions.delay_ms = static_cast<std::uint64_t>(static_cast<double>(before) * 1000 / rate);
  return client::spec_of_task(*task);
}

// Off the list. How many were on it.
awaitable<std::int64_t> take_off(Ring ring, std::vector<std::string> ids) {
  std::map<Origin, std::vector<SeqRanges>> letters_of;
  for (const auto& written : ids) {
    const auto id = parse_task_id(written);
    auto& messages = letters_of[id->origin];
    if (messages.empty() || messages.back().count() == Ring::kLettersInMessage)
      messages.emplace_back();
    messages.back().add(id->seq, id->seq);
  }
  std::int64_t discarded = 0;
  for (const auto& [origin, messages] : letters_of)
    for (const auto& seqs : messages) {
      const auto answer = need(co_await ring.discard(origin, seqs));
      discarded += answer["discarded"].int_or(0);
    }
  co_return discarded;
}

// A letter's key makes a replay that is repeated the same replay. What was replayed leaves the
// list: ended before that, it is the same replay when it is asked for again.
Answered replay(Ring ring, Exchange& exchange) {
  const auto asked = co_await read_map(exchange);
  only(asked, members({{"rate"}}));
  const auto rate = rate_of(asked);
  auto ids = co_await ids_of(ring, filter_of(asked));
  if (asked["dry_run"] == Value(true))
    co_return json(200, Value::Map{{"count", std::uint64_t{ids.size()}}});
  Value::Array replayed;
  Value::Array refused;
  std::vector<std::string> accepted;
  for (const auto& letter : ids) {
    const auto spec = co_await ring.sink("spec", *parse_task_id(letter));
    if (!spec && spec.error().is_silence()) (void)need(spec);  // The rest has not been tried.
    const auto* blob = spec ? spec->as<protocol::Blob>() : nullptr;
    if (blob == nullptr) {
      refused.push_back(Value::Map{
          {"replay_of", letter},
          {"detail", spec ? "is not a dead letter, or its task is lost" : spec.error().message}});
      continue;
    }
    auto groups = blob->bytes;
    if (rate) groups = spread(std::move(groups), replayed.size(), *rate);
    const auto ended = co_await ring.submit(std::move(groups), 1, text(client::kReplayOf, letter));
    if (ended.error && ended.error->is_silence()) throw problem_of(*ended.error);
    if (ended.error) {
      refused.push_back(Value::Map{{"replay_of", letter}, {"detail", ended.error->message}});
      continue;
    }
    accepted.push_back(letter);
    replayed.push_back(
        Value::Map{{"id", to_text(TaskId{ended.origin, ended.first})}, {"replay_of", letter}});
  }
  Value told = Value::Map{{"replayed", std::move(replayed)}, {"refused", std::move(refused)}};
  try {
    (void)co_await take_off(ring, std::move(accepted));
  } catch (const Problem& problem) {  // They are replayed all the same.
    told.set("still_listed", problem.detail);
  }
  co_return json(200, told);
}

// Who discarded how many and why is in the gateway's log: the letters are what failed, and not what
// was thought of it.
Answered discard(Ring ring, Exchange& exchange) {
  const auto asked = co_await read_map(exchange);
  only(asked, members({{"reason", Member::Is::kName}}));
  auto ids = co_await ids_of(ring, filter_of(asked));
  if (asked["dry_run"] == Value(true))
    co_return json(200, Value::Map{{"count", std::uint64_t{ids.size()}}});
  const auto of = ids.empty() ? std::string() : ids.front();
  const auto discarded = co_await take_off(ring, std::move(ids));
  const auto reason = asked["reason"].text_or("");
  if (discarded > 0)
    process::log_info(text(discarded, " dead letters (", of, discarded > 1 ? " …" : "",
                           ") were discarded by ", exchange.by(), reason.empty() ? "" : ": ",
                           shown(reason)));
  co_return json(200, Value::Map{{"discarded", discarded}});
}

}  // namespace

void add_dead(Routes& routes, Gateway& gateway) {
  auto* of = &gateway;
  const auto see = net::Role::kObserve;
  routes.add({"GET", "/dead", see, Reach::kWithin,
              [of](Exchange& exchange) { return list(of->ring(exchange), exchange.request); }});
  static constexpr std::string_view kLetter = "/dead/{id}";
  routes.add({"GET", kLetter, see, Reach::kWithin, [of](Exchange& exchange) {
                return task(of->ring(exchange), segment(kLetter, exchange.request, "id"));
              }});
  routes.add({"GET", "/dead/groups", see, Reach::kWithin,
              [of](Exchange& exchange) { return groups(of->ring(exchange), exchange.request); }});
  routes.add({"POST", "/dead/replay", net::Role::kSubmit, Reach::kWithin,
              [of](Exchange& exchange) { return replay(of->ring(exchange), exchange); }});
  routes.add({"POST", "/dead/discard", net::Role::kSubmit, Reach::kWithin,
              [of](Exchange& exchange) { return discard(of->ring(exchange), exchange); }});
}

}  // namespace eole::gateway
