#include "worker/io/node.hpp"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "common/base/text.hpp"
#include "common/process/log.hpp"
#include "common/protocol/codec.hpp"

namespace eole::worker {

using protocol::decode;
using protocol::encode;

namespace {
constexpr int kMessagesPerTurn = 256;
constexpr Duration kProgressEvery = 100ms;
constexpr int kProgressQueued = 64;  // Messages; more wait only while the sink is away.
}  // namespace

Node::Node(NodeOptions options, std::vector<std::unique_ptr<CommandRunner>> runners)
    : options_(std::move(options)),
      context_(options_.cluster),
      control_(context_, net::SocketType::kDealer),
      results_(context_, net::SocketType::kPush),
      progress_(context_, net::SocketType::kPush),
      acks_(context_, net::SocketType::kSub),
      core_(options_.config, process::random_u64(), process::now()),
      slots_(context_, {options_.cluster, options_.scratch}, options_.config.slots,
             std::move(runners)) {
  acks_.subscribe("ack." + hex(core_.run()));
  acks_.connect(options_.cluster.notifications);
  results_.connect(options_.cluster.results);
  progress_.limit_queue(kProgressQueued);
  progress_.connect(options_.cluster.results);
  control_.connect(options_.cluster.ventilator);
  poller_.add(stop_.fd(), is_stop_due_);
  poller_.add(slots_.fd(), are_slots_due_);
  for (auto* socket : {&control_, &acks_}) poller_.add(socket->fd(), socket->due());
}

int Node::run() {
  process::log_info(text("run ", hex(core_.run()), ", ", options_.config.slots,
                         " slots, ventilator ", options_.cluster.ventilator));
  while (true) {
    const auto now = process::now();
    if (std::exchange(is_stop_due_, false)) {
      stops_ += stop_.take();
      if (stops_ > 1) return 1;
      process::log_info("draining; a second signal ends it at once");
      core_.on_event(DrainAsked{}, now, actions_);
    }
    drain(control_, now);
    drain(acks_, now);
    if (pipe_) drain_monitor(now);
    if (pipe_) drain(*pipe_, now);
    if (std::exchange(are_slots_due_, false)) take_from_slots(now);
    if (now >= next_progress_ && slots_.has_progress()) send_progress(now);
    perform(now);
    core_.on_deadline(now, actions_);
    perform(now);
    if (is_over_) return 0;
    const auto next = core_.next_deadline();
    auto timeout = next ? std::optional(*next - now) : std::nullopt;
    if (control_.due() || acks_.due() || (pipe_ && (pipe_->due() || is_monitor_due_)))
      timeout = Duration(0);
    if (slots_.has_progress()) timeout = std::min(timeout.value_or(1h), next_progress_ - now);
    poller_.wait(timeout);
  }
}

void Node::drain(net::Socket& socket, TimePoint now) {
  for (int count = 0; count < kMessagesPerTurn && socket.due(); ++count)
    if (auto received = socket.receive()) handle(std::move(*received), now);
}

void Node::drain_monitor(TimePoint now) {
  if (!std::exchange(is_monitor_due_, false)) return;
  while (const auto event = pipe_monitor_->next()) {
    if (*event == net::ConnectionEvent::kUp) {
      core_.on_event(PipeUp{}, now, actions_);
    } else {
      return core_.on_event(PipeDown{}, now, actions_);
    }
  }
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

void Node::take_from_slots(TimePoint now) {
  auto finished = slots_.take_finished();
  // What a task printed is shown before it ends.
  if (!finished.empty() && slots_.has_progress()) send_progress(now);
  for (auto& task : finished) core_.on_event(std::move(task), now, actions_);
}

void Node::send_progress(TimePoint now) {
  next_progress_ = now + kProgressEvery;
  for (auto& progress : slots_.take_progress()) {
    progress.worker = options_.config.name;
    progress_.send(encode(progress));
  }
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
void Node::act(const SendResults& action, TimePoint) {
  results_.send(encode(action.results).head, action.records);
}
void Node::act(const KillTask& action, TimePoint) { slots_.kill(action.id); }

void Node::act(const OpenPipe& action, TimePoint) {
  pipe_.emplace(context_, net::SocketType::kPull);
  pipe_monitor_.emplace(context_, *pipe_);
  poller_.add(pipe_->fd(), pipe_->due());
  poller_.add(pipe_monitor_->fd(), is_monitor_due_);
  is_monitor_due_ = true;
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
