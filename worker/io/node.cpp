#include "worker/io/node.hpp"

#include <algorithm>
#include <utility>

#include "common/base/counted.hpp"
#include "common/base/text.hpp"
#include "common/process/log.hpp"
#include "common/protocol/codec.hpp"

namespace eole::worker {

using protocol::encode;

namespace {
constexpr int kMessagesPerTurn = 256;
constexpr Duration kProgressEvery = 100ms;
constexpr int kProgressMessagesMax = 64;  // Of a piece each: 4 MiB; then the slots keep it.
constexpr int kRepeatsMax = 4096;         // Results sent again while the sink takes none.
}  // namespace

Node::Node(NodeOptions options, net::Transport& transport, TaskRunner& runner)
    : options_(std::move(options)),
      transport_(transport),
      runner_(runner),
      control_(transport.open(net::SocketType::kDealer)),
      results_(transport.open(net::SocketType::kPush)),
      progress_(transport.open(net::SocketType::kPush)),
      acks_(transport.open(net::SocketType::kSub)),
      messages_("a worker", nullptr,
                [](const net::Sender&, const protocol::Refused& refused) {
                  process::log_warning(refused.reason);
                }),
      now_(transport.now()),
      core_(options_.config, transport.random(), now_) {
  take_messages();
  acks_.subscribe("ack." + hex(core_.run()));
  acks_.subscribe("head");
  acks_.connect(options_.cluster.notifications);
  // A queue that drops what the sink could still take would cost it a second's wait.
  results_.limit_queue(static_cast<int>(options_.config.results_max) + kRepeatsMax);
  results_.connect(options_.cluster.results);
  progress_.limit_queue(kProgressMessagesMax);
  progress_.connect(options_.cluster.results);
  control_.connect(options_.cluster.ventilator);
  transport_.watch(runner_.fd(), runner_.due());
  for (auto* socket : {&control_, &acks_}) transport_.watch(socket->fd(), socket->due());
  process::log_info(text("run ", hex(core_.run()), ", ", counted(options_.config.slots, "slot"),
                         ", ventilator ", options_.cluster.ventilator));
}

// A descriptor may outlive its socket for a moment, and would tell of it.
Node::~Node() {
  act(ClosePipe{});
  for (const auto fd : {control_.fd(), acks_.fd(), runner_.fd()}) transport_.unwatch(fd);
}

void Node::stop() {
  if (std::exchange(is_draining_, true)) {
    exit_code_ = 1;
    return;
  }
  process::log_info("draining; a second signal ends it at once");
  core_.on_event(DrainAsked{}, transport_.now(), actions_);
}

std::optional<TimePoint> Node::turn() {
  if (exit_code_) return std::nullopt;
  now_ = transport_.now();
  drain(control_);
  drain(acks_);
  if (pipe_) drain_monitor();
  if (pipe_) drain(*pipe_);
  if (std::exchange(runner_.due(), false)) take_finished();
  if (now_ >= next_progress_ && runner_.has_progress()) send_progress();
  perform();
  core_.on_deadline(now_, actions_);
  perform();
  if (control_.due() || acks_.due() || (pipe_ && (pipe_->due() || is_monitor_due_))) return now_;
  auto until = core_.next_deadline();
  if (runner_.has_progress()) until = std::min(until.value_or(next_progress_), next_progress_);
  return until;
}

void Node::drain(net::Socket& socket) {
  for (int count = 0; count < kMessagesPerTurn && socket.due(); ++count)
    if (auto received = socket.receive()) messages_.route(std::move(*received));
}

void Node::drain_monitor() {
  if (!std::exchange(is_monitor_due_, false)) return;
  while (const auto event = pipe_monitor_->next()) {
    if (*event == net::ConnectionEvent::kUp) {
      tell_core(PipeUp{});
    } else {
      return tell_core(PipeDown{});
    }
  }
}

void Node::take_messages() {
  const auto on_message = [this](auto& message, const net::Sender&) { return on(message); };
  messages_.take<protocol::Tasks>({}, on_message);
  messages_.take<protocol::Ack>({}, on_message);
  messages_.take<protocol::LogHead>({}, on_message);
  messages_.take<protocol::Orders>({}, on_message);
  messages_.take<protocol::Welcome>({}, on_message);
  messages_.take<protocol::HelloAgain>({}, on_message);
  messages_.take<protocol::Refused>({}, on_message);
}

Expected<void> Node::on(protocol::Orders& orders) {
  auto list = protocol::decode_orders(orders.payload);
  if (!list) return list.error();
  orders.payload.clear();
  tell_core(OrdersReceived{std::move(orders), std::move(*list)});
  return {};
}

void Node::on(protocol::Refused& refused) {
  process::log_warning(text("refused: ", refused.reason));
}

void Node::take_finished() {
  auto finished = runner_.take_finished();
  // What a task printed is shown before it ends.
  if (!finished.empty() && runner_.has_progress()) send_progress();
  for (auto& task : finished) tell_core(std::move(task));
  if (auto runners = runner_.take_runners()) tell_core(std::move(*runners));
}

void Node::send_progress() {
  next_progress_ = now_ + kProgressEvery;
  auto taken = runner_.take_progress();
  for (auto& progress : taken) progress.worker = options_.config.name;
  while (!taken.empty() && progress_.send(encode(taken.front()))) taken.pop_front();
  runner_.give_back(std::move(taken));
}

void Node::perform() {
  // By index: the end of an inline task may add actions while the list is walked. So no act
  // looks at its action again after it has handed an event to the core.
  for (std::size_t i = 0; i < actions_.size(); ++i)
    std::visit([&](const auto& concrete) { act(concrete); }, actions_[i]);
  actions_.clear();
  for (auto& message : protocol::encode_news("worker", std::exchange(started_, {})))
    progress_.send(encode(std::move(message)));
}

// For people: what ends within microseconds, in this loop, is told as ended only.
void Node::tell_started(const StartTask& task) {
  if (!has_listeners_) return;
  started_.push_back({"started",
                      "task",
                      to_text(task.id),
                      task.task_class.project,
                      task.task_class.kind,
                      {{"worker", options_.config.name}, {"attempt", std::uint32_t{task.attempt}}},
                      transport_.unix_ms()});
}

void Node::act(const SendHello& action) {
  if (action.is_afresh) {
    transport_.unwatch(control_.fd());
    control_ = transport_.open(net::SocketType::kDealer);
    control_.connect(options_.cluster.ventilator);
    transport_.watch(control_.fd(), control_.due());
  }
  control_.send(encode(action.hello));
}
void Node::act(const SendBeat& action) { control_.send(encode(action.beat)); }
void Node::act(const SendCredit& action) { control_.send(encode(action.credit)); }
void Node::act(const SendGoodbye& action) { control_.send(encode(action.goodbye)); }
void Node::act(const SendResults& action) {
  results_.send(encode(action.results).head, action.records);
}
void Node::act(const KillTask& action) { runner_.kill(action.id, action.is_timeout); }

void Node::act(const OpenPipe& action) {
  pipe_.emplace(transport_.open(net::SocketType::kPull));
  pipe_monitor_.emplace(*pipe_);
  transport_.watch(pipe_->fd(), pipe_->due());
  transport_.watch(pipe_monitor_->fd(), is_monitor_due_);
  is_monitor_due_ = true;
  try {
    pipe_->connect(action.endpoint, true);
  } catch (const std::exception& error) {
    process::log_warning(error.what());
  }
}

void Node::act(const ClosePipe&) {
  if (!pipe_) return;
  transport_.unwatch(pipe_->fd());
  transport_.unwatch(pipe_monitor_->fd());
  pipe_monitor_.reset();
  pipe_.reset();
}

void Node::act(const StartTask& action) {
  if (action.is_cancelled) {
    tell_core(report_cancelled(action, transport_.unix_ms()));
  } else {
    tell_started(action);
    runner_.start(action);
  }
}

void Node::act(const StartBatch& action) {
  auto finished = runner_.run_batch(action.batch);
  now_ = transport_.now();
  tell_core(std::move(finished));
}

void Node::act(const Exit&) { exit_code_ = 0; }

}  // namespace eole::worker
