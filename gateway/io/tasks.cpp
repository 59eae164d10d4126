#include "gateway/io/tasks.hpp"

#include "clients/cpp/tasks/letter_words.hpp"
#include "clients/cpp/tasks/story.hpp"
#include "common/base/counted.hpp"
#include "common/base/durations.hpp"
#include "common/base/text.hpp"
#include "common/protocol/trace.hpp"
#include "gateway/core/submission.hpp"
#include "gateway/io/answers.hpp"
#include "gateway/io/gateway.hpp"

namespace eole::gateway {

using http::Problem;
using http::Response;

namespace {

constexpr std::string_view kOne = "/task/{id}";
constexpr Duration kWaitForEndMax = 600s;
constexpr Duration kSubmissionPatience = 1s;  // A story is told without it.
constexpr std::size_t kIdempotencyKeyBytesMax = 200;
constexpr std::size_t kIdsPieceBytes = 64 << 10;

/// Ids that follow one another.
struct Ids {
  Origin origin = 0;
  Seq first = 0;
  std::uint32_t count = 0;
};

/// A batch that was handed over, whose answer nobody waits for yet.
class Flight {
 public:
  Flight(Ring& ring, Batch batch, std::string key) {
    ring.submit(std::move(batch.groups), batch.count, std::move(key),
                [state = state_](const client::SubmitEnded& ended) {
                  state->tell ? state->tell(ended) : void(state->ended = ended);
                });
  }
  awaitable<client::SubmitEnded> ended() {
    auto ended = co_await told_later<client::SubmitEnded>(
        [this](auto tell) { state_->ended ? tell(*state_->ended) : void(state_->tell = tell); });
    co_return ended;
  }

 private:
  struct State {
    std::optional<client::SubmitEnded> ended;
    Fabric::OnSubmitted tell;
  };
  std::shared_ptr<State> state_ = std::make_shared<State>();  // Outlives a client that has gone.
};

std::optional<Duration> wait_of(const http::Request& request) {
  const auto written = request.option("wait");
  if (!written) return {};
  const auto span = parse_duration(*written);
  if (!span) throw Problem(400, text("wait=", *written, ": ", span.error().message));
  const Duration wait = std::chrono::milliseconds(*span);
  if (wait > kWaitForEndMax)
    throw Problem(400, text("wait=", *written, ": limit ", kWaitForEndMax / 1s, "s"));
  return wait;
}

}  // namespace

client::TaskRequest preset_of(const http::Request& request) {
  client::TaskRequest preset;
  if (auto trace = protocol::parse_traceparent(request.field("traceparent")))
    preset.trace = std::move(*trace);
  return preset;
}

bool is_lines(std::string_view content_type) {
  return content_type.starts_with("application/x-ndjson") ||
         content_type.starts_with("application/jsonl") ||
         content_type.starts_with("application/ndjson");
}

std::string idempotency_key(const http::Request& request) {
  std::string key(request.field("idempotency-key"));
  if (key.size() >= 2 && key.front() == '"' && key.back() == '"')
    key = key.substr(1, key.size() - 2);  // The draft's own form is a quoted string.
  if (key.size() > kIdempotencyKeyBytesMax)
    throw Problem(
        400, text("Idempotency-Key of ", key.size(), " bytes, limit ", kIdempotencyKeyBytesMax));
  return key;
}

awaitable<Ring::Answer> look_up(Ring ring, TaskId id) {
  auto ended = co_await ring.sink("result", id);
  const bool is_ended = ended && !ended->is_null() && (*ended)["state"].text_or("") != "retrying";
  if (!ended || is_ended) co_return ended;
  auto task = co_await ring.ventilator("task", id);
  const bool is_there = !task || !task->is_null();
  if (is_there) co_return task;
  co_return co_await ring.sink("result", id);  // Settled between the two questions, or never was.
}

bool is_over(const Value& view) { return !view["offset"].is_null() || !view["is_kept"].is_null(); }

namespace {

TaskId id_of(const http::Request& request) {
  const auto written = segment(kOne, request, "id");
  const auto id = parse_task_id(written);
  if (!id) throw Problem(404, text("task ", written, ": is no task's id"));
  return *id;
}

class Tasks {
 public:
  explicit Tasks(Gateway& gateway) : gateway_(gateway) {}

  awaitable<std::optional<Response>> post(Exchange& exchange) {
    auto ring = gateway_.ring(exchange);
    const auto& request = exchange.request;
    const auto key = idempotency_key(request);
    const auto wait = wait_of(request);
    const bool has_lines = is_lines(request.field("content-type"));
    if (!request.has_body()) throw Problem(400, "no body: wanted is a task as JSON");
    if (wait && has_lines) throw Problem(400, "wait: of one task as JSON, not of lines");
    std::vector<Ids> ids;
    if (has_lines) {
      const auto problem = co_await post_lines(exchange, ring, key, ids);
      if (problem) co_return co_await tell_ids(exchange, exchange.refusal(*problem), ids);
    } else {
      const auto body = co_await exchange.read_all(kTasksBytesMax);
      const auto offered = co_await ring.offered();
      auto preset = preset_of(request);
      preset.offered = offered.get();
      auto batch = read_json_tasks(body, preset);
      if (wait && batch.count != 1)
        throw Problem(400, text("wait: of one task, not of ", batch.count));
      co_await submit(ring, std::move(batch), key, ids);
    }
    if (ids.empty()) throw Problem(400, "a body without a task");
    if (!wait) co_return co_await tell_ids(exchange, accepted(), ids);
    const TaskId id{ids[0].origin, ids[0].first};
    const auto ended = co_await ring.ended(id, *wait, [&] { return exchange.is_gone(); });
    if (!ended || ended->is_null()) co_return co_await tell_ids(exchange, accepted(), ids);
    auto answer = story_of_ended(*ended);
    answer.set("ids", Value::Array{to_text(id)});
    co_return json(200, answer);
  }

  awaitable<std::optional<Response>> get(Ring ring, TaskId id) {
    auto view = need(co_await look_up(ring, id));
    if (view.is_null()) co_await refuse_unknown(ring, id);
    const auto attempts = co_await attempts_of(ring, id);
    auto story = is_over(view) ? story_of_ended(view) : view;
    story.set("attempts", client::history_of(view, attempts));
    if (!is_over(view)) story.set("result", Value());
    co_await tell_submission(ring, id, story);
    co_return json(200, story);
  }

  awaitable<std::optional<Response>> cancel(Ring ring, TaskId id) {
    SeqRanges one;
    one.add(id.seq, id.seq);
    const auto told = need(co_await ring.cancel(id.origin, one));
    const auto has = [&](const char* name) {
      const auto* list = told[name].as<Value::Array>();
      return list != nullptr && !list->empty();
    };
    if (has("unknown")) co_await refuse_unknown(ring, id);
    if (has("settled")) throw Problem(409, text("task ", to_text(id), ": had ended before"));
    const Value answer = Value::Map{{"id", to_text(id)}, {"state", "cancelling"}};
    co_return json(202, answer);
  }

  awaitable<std::optional<Response>> list(Ring ring, http::Request request) {
    const auto options = options_of(request, {{"project", "project"},
                                              {"kind", "kind"},
                                              {"worker", "worker"},
                                              {"state", "state"},
                                              {"after", "after", true},
                                              {"limit", "most", true}});
    co_return json(200, need(co_await ring.ventilator("tasks", {}, options)));
  }

 private:
  // An id begins with the origin of who gave it. Who is held to a prefix is answered of others'
  // tasks as of what there never was.
  static awaitable<void> refuse_unknown(Ring& ring, TaskId id) {
    const auto told = co_await ring.ventilator("status");
    const auto origin = told ? (*told)["origin"].text_or("") : std::string();
    const bool is_others =
        ring.within().is_all() && !origin.empty() && origin != origin_text(id.origin);
    throw Problem(404, is_others ? text("task ", to_text(id), ": is of another cluster; ids of ",
                                        "this one begin with ", origin, "-")
                                 : text("task ", to_text(id), ": was never accepted"));
  }

  static Value story_of_ended(const Value& view) {
    auto story = view;
    story.set("result", view["value"].is_null() ? view["artifact"] : view["value"]);
    story.set("why", Value::Array{client::why_ended(view)});
    return story;
  }

  // Under which key it was submitted, or what it replays, and as what it is replayed.
  static awaitable<void> tell_submission(Ring& ring, TaskId id, Value& story) {
    const auto came = co_await ring.ventilator("submission", id, {}, kSubmissionPatience);
    if (!came) co_return;
    const auto key = (*came)["key"].text_or("");
    const auto letter = key.starts_with(client::kReplayOf)
                            ? parse_task_id(key.substr(client::kReplayOf.size()))
                            : std::nullopt;
    if (letter)
      story.set("replay_of", to_text(*letter));
    else if (!key.empty())
      story.set("idempotency_key", key);
    if (story["state"].text_or("") != "dead") co_return;
    Value options =
        Value::Map{{"key", text(client::kReplayOf, to_text(id))}, {"project", story["project"]}};
    const auto replay =
        co_await ring.ventilator("submission", {}, std::move(options), kSubmissionPatience);
    if (replay && !replay->is_null()) story.set("replayed_as", (*replay)["first"]);
  }

  static awaitable<Value::Array> attempts_of(Ring& ring, TaskId id) {
    Value::Array all;
    Value options = Value::Map{};
    while (true) {
      const auto page = need(co_await ring.sink("attempts", id, options));
      const auto* list = page["attempts"].as<Value::Array>();
      if (list != nullptr) all.insert(all.end(), list->begin(), list->end());
      if (list == nullptr || page["next"].is_null()) break;
      options.set("before", page["next"]);
    }
    std::reverse(all.begin(), all.end());
    co_return all;
  }

  static awaitable<void> submit(Ring& ring, Batch batch, std::string key, std::vector<Ids>& ids) {
    const auto ended = co_await ring.submit(std::move(batch.groups), batch.count, std::move(key));
    note(ended, ids);
  }

  static void note(const client::SubmitEnded& ended, std::vector<Ids>& ids) {
    if (ended.error) throw problem_of(*ended.error);
    auto* last = ids.empty() ? nullptr : &ids.back();
    if (last != nullptr && last->origin == ended.origin && last->first + last->count == ended.first)
      last->count += ended.count;
    else
      ids.push_back({ended.origin, ended.first, ended.count});
  }

  static awaitable<void> land(std::optional<Flight>& flight, std::vector<Ids>& ids) {
    if (!flight) co_return;
    auto last = std::move(*flight);
    flight.reset();
    const auto ended = co_await last.ended();
    note(ended, ids);
  }

  static Response accepted() { return json(202, Value::Map{}); }

  static std::uint64_t count_of(const std::vector<Ids>& ids) {
    std::uint64_t count = 0;
    for (const auto& range : ids) count += range.count;
    return count;
  }

  // The answer's last member: millions of ids are no single text. A problem says before how many
  // they are.
  awaitable<std::optional<Response>> tell_ids(Exchange& exchange, Response answer,
                                              const std::vector<Ids>& ids) {
    auto out = std::exchange(answer.body, {});
    out.back() = ',';  // Instead of its last brace.
    if (out == "{,") out.pop_back();
    if (answer.status >= 400) out += text("\"accepted\":", count_of(ids), ',');
    out += "\"ids\":[";
    bool is_begun = false;
    for (const auto& range : ids) {
      const auto begin = text("\"", origin_text(range.origin), "-");
      for (auto seq = range.first; seq < range.first + range.count; ++seq) {
        if (!out.ends_with('[')) out += ',';
        out += begin;
        out += std::to_string(seq);
        out += '"';
        if (out.size() < kIdsPieceBytes) continue;
        if (!std::exchange(is_begun, true)) co_await exchange.begin(answer, {});
        co_await exchange.write(out);
        out.clear();
      }
    }
    out += "]}";
    if (!is_begun) {
      answer.body = std::move(out);
      co_return answer;
    }
    co_await exchange.write(out);
    co_await exchange.end();
    co_return std::nullopt;
  }

  // A batch after the other: what a client sends faster than it is accepted waits with the client.
  // A problem tells of the tasks before, so that it is known from where to go on.
  awaitable<std::optional<Problem>> post_lines(Exchange& exchange, Ring& ring,
                                               const std::string& key, std::vector<Ids>& ids) {
    std::optional<Problem> problem;
    std::optional<Flight> flight;
    try {
      co_await submit_lines(exchange, ring, key, ids, flight);
    } catch (Problem& told) {
      problem = std::move(told);
    }
    try {
      co_await land(flight, ids);
    } catch (Problem& told) {
      problem = std::move(told);  // Of lines that came before those.
    }
    if (!problem) co_return std::nullopt;
    const auto count = count_of(ids);
    problem->detail += count == 0
                           ? "; no task is accepted"
                           : text("; the first ", counted(count, "task"),
                                  count == 1 ? " is" : " are", " accepted, from ",
                                  to_text(TaskId{ids.front().origin, ids.front().first}), " on");
    co_return problem;
  }

  // While a batch is under way the next one is read, and goes when that one was accepted.
  awaitable<void> submit_lines(Exchange& exchange, Ring& ring, const std::string& key,
                               std::vector<Ids>& ids, std::optional<Flight>& flight) {
    const auto offered = co_await ring.offered();
    auto preset = preset_of(exchange.request);
    preset.offered = offered.get();
    LineTasks lines(std::move(preset));
    std::uint64_t batches = 0;
    bool is_over = false;
    while (!is_over) {
      const auto piece = co_await exchange.read();
      is_over = piece.empty();
      if (is_over) lines.finish();
      for (std::string_view rest = piece; !rest.empty() || is_over;) {
        rest.remove_prefix(lines.feed(rest));
        if (!is_over && !lines.is_full()) continue;
        auto batch = lines.take();
        co_await land(flight, ids);
        if (batch.count > 0)
          flight.emplace(ring, std::move(batch), key.empty() ? key : text(key, "/", batches++));
        if (is_over) break;
      }
    }
  }

  Gateway& gateway_;
};

}  // namespace

void add_tasks(Routes& routes, Gateway& gateway) {
  auto tasks = std::make_shared<Tasks>(gateway);
  auto* of = &gateway;
  routes.add({"POST", "/task", net::Role::kSubmit, Reach::kWithin,
              [tasks](Exchange& exchange) { return tasks->post(exchange); }});
  const auto id = [](const Exchange& exchange) { return id_of(exchange.request); };
  routes.add({"GET", kOne, net::Role::kObserve, Reach::kWithin,
              [=](Exchange& exchange) { return tasks->get(of->ring(exchange), id(exchange)); }});
  routes.add({"DELETE", kOne, net::Role::kSubmit, Reach::kWithin,
              [=](Exchange& exchange) { return tasks->cancel(of->ring(exchange), id(exchange)); }});
  routes.add({"GET", "/tasks", net::Role::kObserve, Reach::kWithin, [=](Exchange& exchange) {
                return tasks->list(of->ring(exchange), exchange.request);
              }});
}

}  // namespace eole::gateway
