#include "clients/cpp/session/submits.hpp"

#include <utility>

#include "common/protocol/codec.hpp"

namespace eole::client {

Submits::Submits(Session& session, const net::ClusterFile& cluster, Duration patience,
                 OnEnd on_end)
    : Part(session),
      core_(world().random(), patience),
      on_end_(std::move(on_end)),
      ventilator_(world().open(net::SocketType::kDealer)),
      monitor_(ventilator_) {
  watch(monitor_.fd(), is_monitor_due_);
  watch(ventilator_);
  ventilator_.connect(cluster.ventilator);
}

std::uint64_t Submits::submit(protocol::Submit submit, std::shared_ptr<const Bytes> groups) {
  const auto request = core_.next_request();
  SubmitActions actions;
  core_.on_event(SubmitAsked{std::move(submit), std::move(groups)}, world().now(), actions);
  perform(std::move(actions));
  return request;
}

void Submits::turn(TimePoint now) {
  SubmitActions actions;
  if (ventilator_.due())
    while (auto received = ventilator_.receive()) take(std::move(*received), now, actions);
  if (std::exchange(is_monitor_due_, false))
    while (const auto event = monitor_.next()) {
      if (*event == net::ConnectionEvent::kDown) core_.on_event(ConnectionBroke{}, now, actions);
      if (*event == net::ConnectionEvent::kUp) core_.on_event(ConnectionStands{}, now, actions);
      is_turned_away_ = is_turned_away_ || *event == net::ConnectionEvent::kRefused;
    }
  if (is_turned_away_) core_.on_event(SubmitRefused{turned_away()}, now, actions);
  core_.on_deadline(now, actions);
  perform(std::move(actions));
}

void Submits::take(net::Received received, TimePoint now, SubmitActions& out) {
  const auto head = protocol::HeadReader::parse(received.message.head);
  if (!head) return;
  if (head->name() == protocol::Accepted::kName) {
    auto accepted =
        protocol::decode<protocol::Accepted>(*head, std::move(received.message.payload));
    if (accepted) core_.on_event(AcceptedReceived{std::move(*accepted)}, now, out);
  } else if (head->name() == protocol::Refused::kName) {
    auto refused = protocol::decode<protocol::Refused>(*head, {});
    if (refused) core_.on_event(SubmitRefused{std::move(*refused)}, now, out);
  }
}

void Submits::perform(SubmitActions actions) {
  for (auto& action : actions) {
    if (auto* send = std::get_if<SendSubmit>(&action))
      ventilator_.send(protocol::encode(std::move(send->submit)).head, std::move(send->groups));
    else
      on_end_(std::get<SubmitEnded>(action));
  }
}

}  // namespace eole::client
