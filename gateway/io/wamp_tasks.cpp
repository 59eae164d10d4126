#include "gateway/io/wamp_tasks.hpp"

#include <unistd.h>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <utility>

#include "common/base/shown.hpp"
#include "common/base/text.hpp"

namespace eole::gateway {

using protocol::Value;

namespace {

constexpr std::uint32_t kTasksAtOnce = 16;
constexpr Duration kLeaseTime = 12h;  // The callee's connection tells whether it lives.
constexpr Duration kWait = 5s;
constexpr auto kLookEvery = std::chrono::seconds(1);

// What an error says, for people.
std::string why(const wamp::Heard& heard) {
  const auto* args = heard.args.as<Value::Array>();
  if (args == nullptr || args->empty()) return heard.error;
  const auto* first = args->front().as<std::string>();
  return text(heard.error, ": ", first != nullptr ? *first : args->front().to_json());
}

}  // namespace

WampTasks::WampTasks(Fabric& fabric, wamp::Dealer& dealer, Perform perform)
    : fabric_(fabric), dealer_(dealer), perform_(std::move(perform)) {}

awaitable<void> WampTasks::pull() {
  asio::steady_timer timer(co_await asio::this_coro::executor);
  while (true) {
    if (dealer_.has_procedures()) {
      if (!puller_)
        puller_ = std::make_unique<Puller>(fabric_, Pulled{"wamp"},
                                           static_cast<std::uint32_t>(::getpid()));
      if (puller_->leases().slots() + kTasksAtOnce <= Leases::kLeasesMax) {
        const auto leased = co_await puller_->lease(kTasksAtOnce, kLeaseTime, kWait, {});
        for (const auto& one : leased) call(one);
        continue;
      }
    } else if (puller_ && puller_->is_gone()) {
      puller_.reset();
    } else if (puller_ && puller_->leases().is_empty()) {
      puller_->leave();
      while (!puller_->is_gone()) {
        timer.expires_after(kLookEvery);
        boost::system::error_code ignored;
        co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
      }
      continue;
    }
    timer.expires_after(kLookEvery);
    boost::system::error_code ignored;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
}

void WampTasks::call(const Leased& leased) {
  const auto args = Value::from_msgpack(leased.task.args);
  const auto* procedure = args ? (*args)["procedure"].as<std::string>() : nullptr;
  const auto& list = args ? (*args)["args"] : Value();
  const auto& map = args ? (*args)["kwargs"] : Value();
  if (procedure == nullptr || (!list.is_null() && list.as<Value::Array>() == nullptr) ||
      (!map.is_null() && map.as<Value::Map>() == nullptr)) {
    puller_->end(leased.lease,
                 {false, false,
                  Value::Map{{"error",
                              "wamp: procedure, a text, with args, a list, and kwargs, a "
                              "map, is what its arguments are"}}});
    return;
  }
  const auto id = ++last_;
  leases_.emplace(id, leased.lease);
  wamp::Actions actions;
  dealer_.call(id, *procedure, list, map, actions);
  perform_(std::move(actions));
}

void WampTasks::hear(const wamp::Heard& heard) {
  const auto found = leases_.find(heard.call);
  if (found == leases_.end() || !puller_) return;
  if (heard.is_progress) {
    protocol::Progress progress;
    progress.text = shown(heard.args.to_json());
    puller_->show(found->second, std::move(progress));
    return;
  }
  const auto lease = found->second;
  leases_.erase(found);
  Puller::Outcome outcome;
  if (heard.error.empty()) {
    const auto* list = heard.args.as<Value::Array>();
    const bool is_one = list != nullptr && list->size() == 1 && heard.kwargs.is_null();
    auto value = is_one ? list->front() : heard.args;
    if (!heard.kwargs.is_null()) value = Value::Map{{"args", heard.args}, {"kwargs", heard.kwargs}};
    outcome.body.set("value", std::move(value));
    if (outcome.body.to_msgpack().size() > protocol::kInlineBytesMax)
      outcome = {
          false, false,
          Value::Map{{"error", text("a result over ", protocol::kInlineBytesMax, " bytes")}}};
  } else {
    outcome.is_done = false;
    // Another gateway's client may run it, or this one's once it is back.
    outcome.is_lost =
        heard.error == "wamp.error.no_such_procedure" || heard.error == "wamp.error.canceled";
    outcome.body.set("error", why(heard));
  }
  puller_->end(lease, std::move(outcome));
}

}  // namespace eole::gateway
