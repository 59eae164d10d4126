#include "gateway/io/wamp.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <utility>

#include "clients/cpp/tasks/story.hpp"
#include "common/base/durations.hpp"
#include "common/base/text.hpp"
#include "common/protocol/refusal.hpp"
#include "gateway/core/submission.hpp"
#include "gateway/io/gateway.hpp"
#include "gateway/io/tasks.hpp"
#include "gateway/io/websocket.hpp"

namespace eole::gateway {

using protocol::Value;

namespace {

constexpr Duration kResultWaitMax = 600s;
constexpr std::string_view kProtocol = "wamp.2.json";

// The argument of that place or name; null: it was not given.
const Value& argument(const wamp::OwnCalled& called, std::size_t at, std::string_view name) {
  const auto* list = called.args.as<Value::Array>();
  return list != nullptr && at < list->size() ? (*list)[at] : called.kwargs[name];
}

}  // namespace

Wamp::Wamp(Gateway& gateway, Feed& feed)
    : gateway_(gateway),
      fabric_(gateway.fabric()),
      feed_(feed),
      router_({"eole.submit", "eole.status", "eole.cancel", "eole.result", "eole.explain"}),
      tasks_(fabric_, router_.dealer(),
             [this](wamp::Actions actions) { perform(std::move(actions)); }) {
  feed.on_event = [this](const Event& event) {
    if (!router_.has_subscribers()) return;
    wamp::Actions actions;
    router_.publish(event.project, event.wamp_topic, text(",[", event.json(), "]"), actions);
    perform(std::move(actions));
  };
}

awaitable<std::optional<http::Response>> Wamp::serve(Exchange& exchange) {
  const bool is_known = exchange.caller.role.has_value();
  if (!places_.has_free(owner_of(exchange.caller)))
    throw http::Problem(503, text(kWampClientsMax, " WAMP clients: the limit"));
  if (!is_known && !strangers_.has_free())
    throw http::Problem(503, text(kStrangersMax, " WAMP clients without a token: the limit"));
  auto place = co_await places_.take(owner_of(exchange.caller));
  std::optional<Places::Place> as_stranger;
  if (!is_known) {
    auto taken = co_await strangers_.take();
    as_stranger.emplace(std::move(taken));
  }
  const Feed::Hearing hearing(feed_);
  co_await feed_.until_started();
  WebSocket socket(exchange, co_await asio::this_coro::executor,
                   is_known ? wamp::kWampMessageBytesMax : wamp::kHelloBytesMax);
  const std::vector<std::string_view> protocols = {kProtocol};
  co_await socket.accept(protocols);
  const auto peer = ++last_;
  auto& client = clients_[peer];
  client.socket = &socket;
  client.place = &place;
  client.exchange = &exchange;
  if (as_stranger) client.as_stranger.emplace(std::move(*as_stranger));
  router_.open(peer, fabric_.world().random(), is_known, exchange.caller.prefix);
  const auto end = gateway_.on_stop([this]() {
    wamp::Actions actions;
    router_.shut_down(actions);
    perform(std::move(actions));
  });
  const auto hear = [this, peer](std::string_view said) {
    wamp::Actions actions;
    router_.on_text(peer, said, actions);
    perform(std::move(actions));
  };
  co_await socket.serve(hear, [this, &client]() { return next(client); });
  clients_.erase(peer);
  wamp::Actions actions;
  router_.close(peer, actions);
  perform(std::move(actions));
  co_return std::nullopt;
}

awaitable<Shared> Wamp::next(Client& client) {
  std::string bytes;
  while (!client.unsent.empty() && bytes.size() < kPieceBytes) {
    client.unsent_bytes -= client.unsent.front()->size();
    bytes += *client.unsent.front();
    client.unsent.pop_front();
  }
  if (bytes.empty() && client.is_over)
    client.socket->close(http::CloseCode::kNormal, "the session is over");
  if (bytes.empty()) co_return nullptr;
  co_return std::make_shared<const std::string>(std::move(bytes));
}

void Wamp::perform(wamp::Actions actions) {
  for (auto& action : actions) std::visit([&](auto& concrete) { act(concrete); }, action);
}

// What has no way to resume is not dropped in silence: who reads too slowly is cut off.
void Wamp::act(wamp::Send& send) {
  const auto frame =
      std::make_shared<const std::string>(http::encode_frame(http::Opcode::kText, *send.text));
  for (const auto peer : send.peers) {
    const auto found = clients_.find(peer);
    if (found == clients_.end()) continue;
    auto& client = found->second;
    if (client.unsent_bytes > kWampUnsentBytesMax) {
      client.socket->close(http::CloseCode::kTryLater,
                           text("more than ", kWampUnsentBytesMax >> 20, " MiB wait to be read"));
      continue;
    }
    client.unsent.push_back(frame);
    client.unsent_bytes += frame->size();
    client.socket->wake();
  }
}

void Wamp::act(const wamp::End& end) {
  const auto found = clients_.find(end.peer);
  if (found == clients_.end()) return;
  found->second.is_over = true;
  found->second.socket->wake();
}

void Wamp::act(const wamp::TicketShown& shown) {
  const auto found = clients_.find(shown.peer);
  if (found == clients_.end()) return;
  auto& exchange = *found->second.exchange;
  wamp::Actions actions;
  try {
    exchange.caller = gateway_.access().show(shown.ticket, exchange.address);
    if (!places_.may_have_more(owner_of(exchange.caller))) {
      router_.turn_away(shown.peer, "half of all WAMP clients: the limit of a token", actions);
    } else if (may(exchange.caller, net::Role::kSubmit)) {
      found->second.as_stranger.reset();
      found->second.place->own(owner_of(exchange.caller));
      found->second.socket->take_up_to(wamp::kWampMessageBytesMax);
      router_.welcome(shown.peer, exchange.caller.name, exchange.caller.prefix, actions);
    } else {
      router_.turn_away(shown.peer, "needs a token of role submit", actions);
    }
  } catch (const http::Problem& problem) {
    router_.turn_away(shown.peer, problem.detail, actions);
  }
  perform(std::move(actions));
}

// A call that is cancelled is answered at once, runs on until it sees that, and counts until then.
void Wamp::act(wamp::OwnCalled& called) {
  if (running_[called.caller] >= wamp::Dealer::kCallsMax) {
    wamp::Actions actions;
    router_.dealer(called.within)
        .fail(called.call, "eole.error.too_many",
              text(wamp::Dealer::kCallsMax, " calls still run: the limit"), actions);
    return perform(std::move(actions));
  }
  ++running_[called.caller];
  asio::co_spawn(gateway_.io(), run(std::move(called)), asio::detached);
}

awaitable<void> Wamp::run(wamp::OwnCalled called) {
  Expected<Value> answered = Error{};
  try {
    answered = co_await own(called);
  } catch (const http::Problem& problem) {
    answered = Error{problem.detail};
  }
  if (--running_[called.caller] == 0) running_.erase(called.caller);
  answer(called, answered);
}

void Wamp::answer(const wamp::OwnCalled& called, const Expected<Value>& answered) {
  wamp::Actions actions;
  auto& dealer = router_.dealer(called.within);
  if (answered) {
    dealer.answer(called.call, Value::Array{*answered}, actions);
  } else {
    const auto name = protocol::name_of(answered.error().code);
    dealer.fail(called.call, text("eole.error.", name.empty() ? "refused" : name),
                answered.error().message, actions);
  }
  perform(std::move(actions));
}

awaitable<Expected<Value>> Wamp::own(const wamp::OwnCalled& called) {
  Ring ring(fabric_, Within(called.within));
  if (called.procedure == "eole.submit") {
    const auto& tasks = argument(called, 0, "tasks");
    co_return co_await submit(ring, tasks.is_null() ? called.kwargs : tasks);
  }
  const auto written = argument(called, 0, "id").text_or("");
  const auto id = parse_task_id(written);
  if (!id) co_return Error{text("id ", written, ": is no task's id")};
  if (called.procedure == "eole.cancel") {
    SeqRanges one;
    one.add(id->seq, id->seq);
    co_return co_await ring.cancel(id->origin, one);
  }
  if (called.procedure == "eole.result") co_return co_await result(ring, *id, called);
  auto view = co_await look_up(ring, *id);
  if (!view || view->is_null() || called.procedure == "eole.status") co_return view;
  if (is_over(*view)) co_return Value::Array{client::why_ended(*view)};
  co_return (*view)["why"];
}

// One task as a map, or several as a list: its id, or theirs.
awaitable<Expected<Value>> Wamp::submit(Ring ring, Value tasks) {
  const auto offered = co_await ring.offered();
  client::TaskRequest preset;
  preset.offered = offered.get();
  const auto batch = read_json_tasks(tasks.to_json(), preset);
  const auto count = batch.count;
  const auto ended = co_await ring.submit(batch.groups, count, "");
  if (ended.error) co_return *ended.error;
  if (tasks.as<Value::Map>() != nullptr)
    co_return Value(to_text(TaskId{ended.origin, ended.first}));
  Value::Array ids;
  for (std::uint32_t i = 0; i < count; ++i)
    ids.emplace_back(to_text(TaskId{ended.origin, ended.first + i}));
  co_return Value(std::move(ids));
}

// Its final record once it is there, or null after `wait`.
awaitable<Expected<Value>> Wamp::result(Ring ring, TaskId id, const wamp::OwnCalled& called) {
  const auto said = argument(called, 1, "wait");
  const auto wait = parse_duration(said.is_null() ? "0s" : said.text_or(""));
  if (!wait || std::chrono::milliseconds(*wait) > kResultWaitMax)
    co_return Error{text("wait ", said.to_json(), R"(: wanted is a span of time like "10s", )",
                         kResultWaitMax / 1s, "s at most")};
  const auto is_gone = [this, &called] {
    return !router_.dealer(called.within).is_waited_for(called.call);
  };
  co_return co_await ring.ended(id, std::chrono::milliseconds(*wait), is_gone);
}

}  // namespace eole::gateway
