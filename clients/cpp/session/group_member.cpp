#include "clients/cpp/session/group_member.hpp"

#include <utility>

#include "common/protocol/codec.hpp"

namespace eole::client {

using protocol::HeadReader;

GroupMember::GroupMember(Session& session, const net::ClusterFile& cluster,
                         const std::string& group, const std::string& name,
                         GroupCallbacks callbacks, const std::string& within)
    : Part(session),
      core_(group, world().random(), name, world().now(), within),
      callbacks_(std::move(callbacks)),
      sink_(world(), cluster.queries),
      news_(world().open(net::SocketType::kSub)) {
  news_.subscribe("grown");
  news_.subscribe("head");
  news_.connect(cluster.notifications);
  watch(sink_);
  watch(news_);
}

void GroupMember::tell(GroupEvent event) {
  GroupActions actions;
  core_.on_event(std::move(event), world().now(), actions);
  perform(std::move(actions));
}

void GroupMember::turn(TimePoint now) {
  GroupActions actions;
  if (sink_->due())
    while (auto received = sink_->receive()) take_answer(std::move(*received), now, actions);
  if (sink_.is_turned_away())
    core_.on_event(GroupRefused{turned_away()}, now, actions);
  if (news_.due())
    while (auto received = news_.receive()) {
      const auto head = HeadReader::parse(received->message.head);
      if (!head || head->name() != protocol::LogHead::kName) continue;
      if (const auto grown = protocol::decode<protocol::LogHead>(*head, {}))
        core_.on_event(LogGrew{*grown}, now, actions);
    }
  core_.on_deadline(now, actions);
  perform(std::move(actions));
}

void GroupMember::take_answer(net::Received received, TimePoint now, GroupActions& out) {
  const auto head = HeadReader::parse(received.message.head);
  if (!head) return;
  auto& payload = received.message.payload;
  if (head->name() == protocol::Attending::kName) {
    auto told = protocol::decode<protocol::Attending>(*head, std::move(payload));
    if (told) core_.on_event(AttendingReceived{std::move(*told)}, now, out);
  } else if (head->name() == protocol::Records::kName) {
    auto records = protocol::decode<protocol::Records>(*head, std::move(payload));
    if (records) core_.on_event(GroupRecordsReceived{std::move(*records)}, now, out);
  } else if (head->name() == protocol::Gone::kName) {
    const auto gone = protocol::decode<protocol::Gone>(*head, {});
    if (gone) core_.on_event(GroupGoneReceived{*gone}, now, out);
  } else if (head->name() == protocol::Refused::kName) {
    auto refused = protocol::decode<protocol::Refused>(*head, {});
    if (refused) core_.on_event(GroupRefused{std::move(*refused)}, now, out);
  }
}

void GroupMember::perform(GroupActions actions) {
  for (auto& action : actions) {
    if (auto* piece = std::get_if<GivePiece>(&action))
      callbacks_.on_piece(std::move(*piece));
    else if (const auto* said = std::get_if<SendAttend>(&action))
      sink_->send(protocol::encode(said->attend));
    else if (const auto* read = std::get_if<SendGroupRead>(&action))
      sink_->send(protocol::encode(read->read));
    else if (const auto* gone = std::get_if<TellGone>(&action))
      callbacks_.on_gone(*gone);
    else if (const auto* trouble = std::get_if<GroupTrouble>(&action))
      callbacks_.on_trouble(*trouble);
    else
      callbacks_.on_drop();
  }
}

}  // namespace eole::client
