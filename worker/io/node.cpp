#include "worker/io/node.hpp"

#include <unistd.h>

#include <algorithm>

#include "common/base/text.hpp"
#include "common/process/log.hpp"
#include "common/protocol/codec.hpp"

namespace eole::worker {

using protocol::decode;
using protocol::encode;

namespace {
constexpr int kMessagesPerTurn = 256;
constexpr std::uint64_t kNumber = 1;  // Which descriptor fired does not matter: all are looked at.
}  // namespace

Node::Node(NodeOptions options, std::vector<std::unique_ptr<CommandRunner>> runners)
    : options_(std::move(options)),
      context_(options_.cluster),
      control_(context_, net::SocketType::kDealer),
      results_(context_, net::SocketType::kPush),
      acks_(context_, net::SocketType::kSub),
      core_(options_.config, process::random_u64(), process::now()),
      slots_(context_, {options_.cluster, options_.scratch}, options_.config.slots,
             std::move(runners)) {
  acks_.subscribe("ack." + hex(core_.run()));
  acks_.connect(options_.cluster.notifications);
  results_.connect(options_.cluster.results);
  control_.connect(options_.cluster.ventilator);
  for (const int fd : {stop_.fd(), slots_.fd(), control_.fd(), acks_.fd()})
    poller_.add(fd, kNumber);
}

int Node::run() {
  process::log_info(text("run ", hex(core_.run()), ", ", options_.config.slots,
                         " slots, ventilator ", options_.cluster.ventilator));
  while (!is_over_) {
    const auto now = process::now();
    if (const int signals = stop_.take(); signals > 0) {
      stops_ += signals;
      if (stops_ == 1) process::log_info("draining; a second signal ends it at once");
      core_.on_event(DrainAsked{}, now, actions_);
      if (stops_ > 1) return 1;
    }
    bool was_busy = drain(control_, now);
    was_busy = drain(acks_, now) || was_busy;
    if (pipe_) {
      while (const auto event = pipe_monitor_->next()) {
        was_busy = true;
        if (*event == net::ConnectionEvent::kUp) {
          core_.on_event(PipeUp{}, now, actions_);
        } else {
          core_.on_event(PipeDown{}, now, actions_);
          break;
        }
      }
      was_busy = drain(*pipe_, now) || was_busy;
    }
    was_busy = take_from_slots(now) || was_busy;
    perform(now);
    core_.on_deadline(now, actions_);
    was_busy = was_busy || !actions_.empty();
    perform(now);
    if (was_busy || control_.has_input() || acks_.has_input() || (pipe_ && pipe_->has_input()))
      continue;
    const auto next = core_.next_deadline();
    poller_.wait(next ? std::optional(*next - now) : std::nullopt);
  }
  return 0;
}

bool Node::drain(net::Socket& socket, TimePoint now) {
  for (int count = 0; count < kMessagesPerTurn; ++count) {
    auto received = socket.receive();
    if (!received) return count > 0;
    handle(std::move(*received), now);
  }
  return true;
}

void Node::handle(net::Received received, TimePoint now) {
  auto head = protocol::HeadReader::parse(received.message.head);
  if (!head) return process::log_warning(head.error().message);
  const auto name = std::string(head->name());
  const auto take = [&]<class T>(std::type_identity<T>, auto&& then) {
    if (name != T::kName) return false;
    auto message = decode<T>(*head, std::move(received.message.payload));
    if (message) {
      then(*message);
    } else {
      process::log_warning(message.error().message);
    }
    return true;
  };
  const auto event = [&](Event concrete) { core_.on_event(std::move(concrete), now, actions_); };
  take(std::type_identity<protocol::Tasks>{},
       [&](protocol::Tasks& tasks) { event(TasksReceived{std::move(tasks)}); }) ||
      take(std::type_identity<protocol::Ack>{},
           [&](protocol::Ack& ack) { event(AckReceived{ack}); }) ||
      take(std::type_identity<protocol::Orders>{},
           [&](protocol::Orders& orders) {
             auto list = protocol::decode_orders(orders.payload);
             orders.payload.clear();
             if (list) event(OrdersReceived{orders, std::move(*list)});
           }) ||
      take(std::type_identity<protocol::Welcome>{},
           [&](protocol::Welcome& welcome) { event(WelcomeReceived{std::move(welcome)}); }) ||
      take(std::type_identity<protocol::HelloAgain>{},
           [&](protocol::HelloAgain& again) { event(HelloAgainReceived{again.run}); }) ||
      take(std::type_identity<protocol::Refused>{}, [&](protocol::Refused& refused) {
        process::log_warning(text("refused: ", refused.reason));
      });
}

bool Node::take_from_slots(TimePoint now) {
  auto finished = slots_.take_finished();
  for (auto& progress : slots_.take_progress()) {
    progress.worker = options_.config.name;
    results_.send(encode(progress));
  }
  for (auto& task : finished) core_.on_event(std::move(task), now, actions_);
  return !finished.empty();
}

void Node::perform(TimePoint now) {
  // By index: the end of an inline task may add actions while the list is walked. So no act
  // looks at its action again after it has handed an event to the core.
  for (std::size_t i = 0; i < actions_.size(); ++i)
    std::visit([&](const auto& concrete) { act(concrete, now); }, actions_[i]);
  actions_.clear();
}

void Node::act(const SendHello& action, TimePoint) { control_.send(encode(action.hello)); }
void Node::act(const SendBeat& action, TimePoint) { control_.send(encode(action.beat)); }
void Node::act(const SendCredit& action, TimePoint) { control_.send(encode(action.credit)); }
void Node::act(const SendGoodbye& action, TimePoint) { control_.send(encode(action.goodbye)); }
void Node::act(const SendResults& action, TimePoint) { results_.send(encode(action.results)); }
void Node::act(const KillTask& action, TimePoint) { slots_.kill(action.id); }

void Node::act(const OpenPipe& action, TimePoint) {
  pipe_.emplace(context_, net::SocketType::kPull);
  pipe_monitor_.emplace(context_, *pipe_);
  poller_.add(pipe_->fd(), kNumber);
  poller_.add(pipe_monitor_->fd(), kNumber);
  try {
    pipe_->connect(action.endpoint, true);
  } catch (const std::exception& error) {
    process::log_warning(error.what());
  }
}

void Node::act(const ClosePipe&, TimePoint) {
  if (!pipe_) return;
  poller_.remove(pipe_->fd());
  poller_.remove(pipe_monitor_->fd());
  pipe_monitor_.reset();
  pipe_.reset();
}

void Node::act(const StartTask& action, TimePoint now) {
  if (action.is_cancelled) {
    core_.on_event(Slots::report_cancelled(action), now, actions_);
  } else {
    slots_.start(action);
  }
}

void Node::act(const StartBatch& action, TimePoint) {
  auto finished = Slots::run_batch(action.batch);
  core_.on_event(std::move(finished), process::now(), actions_);
}

void Node::act(const Exit&, TimePoint) { is_over_ = true; }

}  // namespace eole::worker
