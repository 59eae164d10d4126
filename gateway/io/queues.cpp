#include "gateway/io/queues.hpp"

#include <algorithm>

#include "common/base/ids.hpp"
#include "common/base/shown.hpp"
#include "common/base/text.hpp"
#include "common/base/utf8.hpp"
#include "common/process/hash.hpp"
#include "common/protocol/causes.hpp"
#include "gateway/core/submission.hpp"
#include "gateway/io/answers.hpp"
#include "gateway/io/gateway.hpp"
#include "gateway/io/pulling.hpp"
#include "gateway/io/tasks.hpp"

namespace eole::gateway {

using http::Problem;
using http::Request;
using http::Response;
using Answer = std::optional<Response>;

namespace {

// A queue's messages are a project of this name, and tasks of this kind; those of who has a prefix
// are a project within, and of a kind that tells others nothing: who asks for workers sees them
// all.
constexpr std::string_view kProjects = "queue/";
constexpr std::string_view kKinds = "queue.";
constexpr std::size_t kKindDigits = 32;  // 128 bits of a digest: no two are the same.
constexpr std::size_t kQueueNameBytesMax = 200;
constexpr std::size_t kMessagesBytesMax = 8 << 20;

// What stands for one segment in a route's path.
std::string part(const Request& request, std::size_t at) { return request.segments.at(at); }

std::string queue_of(const Request& request) {
  const auto name = part(request, 1);
  const auto is_good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_';
  };
  if (name.empty() || name.size() > kQueueNameBytesMax ||
      !std::all_of(name.begin(), name.end(), is_good))
    throw Problem(400, text("queue ", name, ": 1 to ", kQueueNameBytesMax,
                            " letters, digits, dots, dashes and underscores"));
  return name;
}
std::string project_of(const std::string& queue, const Within& within) {
  return text(within.prefix(), kProjects, queue);
}
Pulled messages_of(const std::string& queue, const Within& within) {
  const auto project = project_of(queue, within);
  const auto own = within.is_all() ? queue : hex(process::sha256(project)).substr(0, kKindDigits);
  return {text(kKinds, own), project};
}
Pulled messages_of(const Exchange& exchange) {
  return messages_of(queue_of(exchange.request), Within(exchange.caller.prefix));
}

Pulled pulled_kind(const Request& request) {
  const auto kind = part(request, 1);
  if (kind.empty() || kind.size() > protocol::kNameBytesMax || kind.find(',') != kind.npos)
    throw Problem(
        400, text("kind ", kind, ": 1 to ", protocol::kNameBytesMax, " bytes, without a comma"));
  return {kind};
}

// All that the query says are words of a task.
void take_words(const Request& request, Value& task) {
  for (const auto& [name, written] : request.query) {
    const auto number = Value::from_json(written);
    task.set(name, number && number->as<std::int64_t>() != nullptr ? *number : Value(written));
  }
}

// The bodies of messages: one, or one a line; what is no JSON is text or bytes.
std::vector<Value> bodies_of(const Request& request, std::string body) {
  const auto type = request.field("content-type");
  if (is_lines(type)) {
    std::vector<Value> bodies;
    for (std::size_t at = 0, line = 1; at < body.size(); ++line) {
      const auto end = std::min(body.find('\n', at), body.size());
      const auto written = std::string_view(body).substr(at, end - at);
      at = end + 1;
      if (written.find_first_not_of(" \t\r") == written.npos) continue;
      auto value = Value::from_json(written);
      if (!value)
        throw Problem(400, text("line ", line, ": ", value.error().message),
                      {{text("/", line), value.error().message}});
      bodies.push_back(std::move(*value));
    }
    return bodies;
  }
  if (type.empty() || type.starts_with("application/json") || type.find("+json") != type.npos ||
      type.starts_with("application/x-www-form-urlencoded")) {  // As curl says it unasked.
    auto value = Value::from_json(body);
    if (!value) throw Problem(400, text("body: ", value.error().message));
    return {std::move(*value)};
  }
  if (type.starts_with("text/")) {
    if (!is_utf8(body)) throw Problem(400, "body: text that is not UTF-8");
    return {Value(std::move(body))};
  }
  return {Value(protocol::Blob{std::move(body)})};
}

// What a holder says of its lease.
awaitable<Value> read_said(Exchange& exchange) {
  using enum Member::Is;
  auto said = co_await read_map(exchange);
  check(said, {{"lease", kText},
               {"error", kText},
               {"cause", kText},
               {"done", kWhole},
               {"total", kWhole},
               {"text", kText}});
  co_return said;
}

/// Queues: each is a project whose tasks are its messages.
class Queues {
 public:
  explicit Queues(Pulling& pulling) : pulling_(pulling), gateway_(pulling.gateway()) {}

  awaitable<Answer> create(Exchange& exchange) {
    const auto queue = queue_of(exchange.request);
    auto ring = gateway_.ring(exchange);
    need(co_await ring.control("open", open_again(queue, ring.within())));
    co_return json(201, Value::Map{{"queue", queue}});
  }

  awaitable<Answer> list(Exchange& exchange) {
    auto ring = gateway_.ring(exchange);
    const auto begin = project_of("", ring.within());
    const auto after = exchange.request.option("after").value_or("");
    // Names with '/' in them follow one another: "queue/" … "queue0".
    Value options = Value::Map{{"after", begin + after}, {"most", 1000}};
    const auto page = need(co_await ring.ventilator("projects", {}, options));
    Value::Array queues;
    bool is_last = page["next"].is_null();
    if (const auto* projects = page["projects"].as<Value::Array>())
      for (const auto& project : *projects) {
        const auto name = project["project"].text_or("");
        if (!name.starts_with(begin)) {
          is_last = true;
          break;
        }
        queues.push_back(depth_of(name.substr(begin.size()), project));
      }
    Value next = is_last || queues.empty() ? Value() : queues.back()["queue"];
    co_return json(200, Value::Map{{"queues", std::move(queues)}, {"next", next}});
  }

  awaitable<Answer> depth(Exchange& exchange) {
    const auto queue = queue_of(exchange.request);
    auto ring = gateway_.ring(exchange);
    Value options = Value::Map{{"project", project_of(queue, ring.within())}};
    const auto view = need(co_await ring.ventilator("project", {}, options));
    const auto ended = co_await ring.sink("project", {}, options);
    if (view.is_null() && (!ended || ended->is_null()))
      throw Problem(404, text("queue ", queue, ": nobody made it, and nothing was put in it"));
    auto answer = depth_of(queue, view);
    if (ended)
      for (const auto* name : {"done", "failed", "dead", "cancelled"})
        answer.set(name, (*ended)[name].int_or(0));
    co_return json(200, answer);
  }

  awaitable<Answer> remove(Exchange& exchange, bool is_kept) {
    const auto queue = queue_of(exchange.request);
    auto ring = gateway_.ring(exchange);
    const auto cancelled = co_await cancel_all(ring, queue);
    if (is_kept) need(co_await ring.control("open", open_again(queue, ring.within())));
    co_return json(202, Value::Map{{"queue", queue}, {"cancelling", cancelled}});
  }

  awaitable<Answer> put(Exchange& exchange) {
    const auto queue = messages_of(exchange);
    auto key = idempotency_key(exchange.request);
    auto bodies = bodies_of(exchange.request, co_await exchange.read_all(kMessagesBytesMax));
    if (bodies.empty()) throw Problem(400, "a body without a message");
    Value task = Value::Map{{"kind", queue.kind}, {"project", queue.project}};
    take_words(exchange.request, task);
    Value::Array tasks;
    for (auto& body : bodies) {
      task.set("args", Value::Map{{"body", std::move(body)}});
      tasks.push_back(task);
    }
    auto batch = read_json_tasks(Value(std::move(tasks)).to_json(), preset_of(exchange.request));
    const auto count = batch.count;
    auto ring = gateway_.ring(exchange);
    const auto ended = co_await ring.submit(std::move(batch.groups), count, std::move(key));
    if (ended.error) throw problem_of(*ended.error);
    Value::Array ids;
    for (std::uint32_t i = 0; i < count; ++i)
      ids.emplace_back(to_text(TaskId{ended.origin, ended.first + i}));
    co_return json(202, Value::Map{{"ids", std::move(ids)}});
  }

  awaitable<Answer> lease(Exchange& exchange) {
    auto pulled = messages_of(exchange);
    auto messages =
        co_await pulling_.lease(exchange, std::move(pulled), [](const Leased&, Value args) {
          const auto& body = args["body"];
          return Value(Value::Map{{"body", body}});
        });
    co_return json(200, Value::Map{{"messages", std::move(messages)}});
  }

  Response renew(const Exchange& exchange) {
    return pulling_.renew(exchange.request, messages_of(exchange), part(exchange.request, 3));
  }
  awaitable<Answer> acknowledge(Exchange& exchange) {
    Puller::Outcome outcome;
    auto answer = co_await pulling_.end(gateway_.ring(exchange), messages_of(exchange),
                                        part(exchange.request, 3), std::move(outcome));
    co_return answer;
  }
  awaitable<Answer> give_back(Exchange& exchange) {
    const auto said = co_await read_said(exchange);
    Puller::Outcome outcome{false, true, Value::Map{}};
    outcome.body.set("error", said["error"].text_or("returned by its holder"));
    auto answer = co_await pulling_.end(gateway_.ring(exchange), messages_of(exchange),
                                        part(exchange.request, 3), std::move(outcome));
    co_return answer;
  }

 private:
  static Value open_again(const std::string& queue, const Within& within) {
    return Value::Map{{"project", project_of(queue, within)}, {"is_again", true}};
  }
  static Value depth_of(const std::string& queue, const Value& view) {
    return Value::Map{{"queue", queue},
                      {"state", view["state"].text_or("open")},
                      {"waiting", view["waiting"].int_or(0)},
                      {"queued", view["queued"].int_or(0)},
                      {"leased", view["running"].int_or(0)}};
  }
  // A page after the other; the project is closed then.
  static awaitable<std::int64_t> cancel_all(Ring ring, std::string queue) {
    std::int64_t cancelled = 0;
    Value options = Value::Map{{"project", project_of(queue, ring.within())}};
    while (true) {
      const auto page = need(co_await ring.control("cancel", options));
      cancelled += page["cancelling"].int_or(0);
      if (page["next"].is_null()) break;
      options.set("after", page["next"]);
    }
    co_return cancelled;
  }

  Pulling& pulling_;
  Gateway& gateway_;
};

/// Tasks of a kind, for workers in any language that has HTTP.
class Work {
 public:
  explicit Work(Pulling& pulling) : pulling_(pulling) {}

  awaitable<Answer> lease(Exchange& exchange) {
    auto tasks = co_await pulling_.lease(exchange, pulled_kind(exchange.request),
                                         [](const Leased& leased, Value args) {
                                           const auto& task_class = leased.task.task_class;
                                           return Value(Value::Map{{"kind", task_class.kind},
                                                                   {"project", task_class.project},
                                                                   {"args", std::move(args)}});
                                         });
    co_return json(200, Value::Map{{"tasks", std::move(tasks)}});
  }
  awaitable<Answer> done(Exchange& exchange) {
    const auto said = co_await read_said(exchange);
    Puller::Outcome outcome;
    if (!said["result"].is_null()) outcome.body.set("value", said["result"]);
    const auto bytes = outcome.body.to_msgpack().size();
    if (bytes > protocol::kInlineBytesMax)
      throw Problem(413, text("a result of ", bytes, " bytes, limit ", protocol::kInlineBytesMax));
    auto answer =
        co_await pulling_.end(pulling_.gateway().ring(exchange), pulled_kind(exchange.request),
                              lease_in(said), std::move(outcome));
    co_return answer;
  }
  awaitable<Answer> failed(Exchange& exchange) {
    const auto said = co_await read_said(exchange);
    Puller::Outcome outcome{false, false, Value::Map{}};
    outcome.body.set("error", said["error"].text_or("failed, says its holder"));
    const auto cause = said["cause"].text_or("");
    if (cause.size() > protocol::kCauseBytesMax)
      throw Problem(400, text("cause: ", cause.size(), " bytes, limit ", protocol::kCauseBytesMax));
    outcome.is_lost = cause == protocol::kCauseLost;
    if (!cause.empty()) outcome.body.set("cause", cause);
    auto answer =
        co_await pulling_.end(pulling_.gateway().ring(exchange), pulled_kind(exchange.request),
                              lease_in(said), std::move(outcome));
    co_return answer;
  }
  awaitable<Answer> progress(Exchange& exchange) {
    const auto said = co_await read_said(exchange);
    const auto kind = pulled_kind(exchange.request);
    protocol::Progress progress;
    progress.done = static_cast<std::uint64_t>(std::max<std::int64_t>(0, said["done"].int_or(0)));
    progress.total = static_cast<std::uint64_t>(std::max<std::int64_t>(0, said["total"].int_or(0)));
    progress.text = shown(cut_text(said["text"].text_or(""), kProgressTextBytesMax));
    pulling_.renew(exchange.request, kind, lease_in(said));  // Who tells of it lives.
    co_return pulling_.show(kind, lease_in(said), std::move(progress));
  }
  awaitable<Answer> renew(Exchange& exchange) {
    const auto said = co_await read_said(exchange);
    co_return pulling_.renew(exchange.request, pulled_kind(exchange.request), lease_in(said));
  }

 private:
  static constexpr std::size_t kProgressTextBytesMax = 256;
  static std::string lease_in(const Value& said) {
    const auto* lease = said["lease"].as<std::string>();
    if (lease == nullptr) throw Problem(400, "lease: missing: which task is meant?");
    return *lease;
  }
  Pulling& pulling_;
};

}  // namespace

void add_queues(Routes& routes, Gateway& gateway) {
  const auto pulling = std::make_shared<Pulling>(gateway);
  const auto queues =
      std::shared_ptr<Queues>(new Queues(*pulling), [pulling](auto* q) { delete q; });
  const auto work = std::shared_ptr<Work>(new Work(*pulling), [pulling](auto* w) { delete w; });
  using enum net::Role;
  routes.add(
      {"GET", "/queues", kObserve, Reach::kWithin, [=](Exchange& e) { return queues->list(e); }});
  routes.add({"POST", "/queues/{name}", kSubmit, Reach::kWithin,
              [=](Exchange& e) { return queues->create(e); }});
  routes.add({"GET", "/queues/{name}", kObserve, Reach::kWithin,
              [=](Exchange& e) { return queues->depth(e); }});
  routes.add({"DELETE", "/queues/{name}", kSubmit, Reach::kWithin,
              [=](Exchange& e) { return queues->remove(e, false); }});
  routes.add({"POST", "/queues/{name}/messages", kSubmit, Reach::kWithin,
              [=](Exchange& e) { return queues->put(e); }});
  routes.add({"GET", "/queues/{name}/messages", kSubmit, Reach::kWithin,
              [=](Exchange& e) { return queues->lease(e); }, false, false});
  routes.add({"DELETE", "/queues/{name}/messages", kSubmit, Reach::kWithin,
              [=](Exchange& e) { return queues->remove(e, true); }});
  routes.add({"DELETE", "/queues/{name}/messages/{lease}", kSubmit, Reach::kWithin,
              [=](Exchange& e) { return queues->acknowledge(e); }});
  routes.add({"POST", "/queues/{name}/messages/{lease}/ack", kSubmit, Reach::kWithin,
              [=](Exchange& e) { return queues->acknowledge(e); }});
  routes.add({"POST", "/queues/{name}/messages/{lease}/return", kSubmit, Reach::kWithin,
              [=](Exchange& e) { return queues->give_back(e); }});
  routes.add({"POST", "/queues/{name}/messages/{lease}/renew", kSubmit, Reach::kWithin,
              [=](Exchange& e) -> awaitable<Answer> { co_return queues->renew(e); }});
  routes.add({"POST", "/work/{kind}/lease", kSubmit, Reach::kOfAll,
              [=](Exchange& e) { return work->lease(e); }});
  routes.add({"POST", "/work/{kind}/done", kSubmit, Reach::kOfAll,
              [=](Exchange& e) { return work->done(e); }});
  routes.add({"POST", "/work/{kind}/failed", kSubmit, Reach::kOfAll,
              [=](Exchange& e) { return work->failed(e); }});
  routes.add({"POST", "/work/{kind}/progress", kSubmit, Reach::kOfAll,
              [=](Exchange& e) { return work->progress(e); }});
  routes.add({"POST", "/work/{kind}/renew", kSubmit, Reach::kOfAll,
              [=](Exchange& e) { return work->renew(e); }});
}

}  // namespace eole::gateway
