#include "clients/cpp/session/reader.hpp"

#include <utility>

#include "common/protocol/codec.hpp"
#include "common/protocol/value.hpp"

namespace eole::client {

using protocol::HeadReader;

Reader::Reader(Session& session, const net::ClusterFile& cluster, const std::optional<Cursor>& from,
               ReaderCallbacks callbacks, std::optional<TopicPattern> pattern)
    : Part(session),
      core_(from, world().now(), std::move(pattern)),
      callbacks_(std::move(callbacks)),
      sink_(world(), cluster.queries),
      news_(world().open(net::SocketType::kSub)) {
  news_.subscribe("result.");
  news_.subscribe("head");
  news_.connect(cluster.notifications);
  watch(sink_);
  watch(news_);
}

void Reader::taken(std::size_t bytes) {
  ReadActions actions;
  core_.on_event(BatchesTaken{bytes}, world().now(), actions);
  perform(std::move(actions));
}

void Reader::turn(TimePoint now) {
  ReadActions actions;
  if (sink_->due())
    while (auto received = sink_->receive()) take_answer(std::move(*received), now, actions);
  if (sink_.is_turned_away())
    core_.on_event(ReadRefused{turned_away()}, now, actions);
  if (news_.due())
    while (auto received = news_.receive()) take_news(std::move(*received), now, actions);
  core_.on_deadline(now, actions);
  perform(std::move(actions));
}

void Reader::take_answer(net::Received received, TimePoint now, ReadActions& out) {
  const auto head = HeadReader::parse(received.message.head);
  if (!head) return;
  auto& payload = received.message.payload;
  if (head->name() == protocol::Records::kName) {
    auto records = protocol::decode<protocol::Records>(*head, std::move(payload));
    if (records) core_.on_event(RecordsReceived{std::move(*records)}, now, out);
  } else if (head->name() == protocol::Gone::kName) {
    const auto gone = protocol::decode<protocol::Gone>(*head, {});
    if (gone) core_.on_event(ReadGone{*gone}, now, out);
  } else if (head->name() == protocol::Answer::kName) {
    const auto answer = protocol::decode<protocol::Answer>(*head, std::move(payload));
    const auto status = answer ? protocol::Value::from_msgpack(answer->payload) : answer.error();
    if (!status) return;
    const auto log_head = static_cast<std::uint64_t>((*status)["head"].int_or(0));
    core_.on_event(HeadTold{answer->request, log_head}, now, out);
  } else if (head->name() == protocol::Refused::kName) {
    auto refused = protocol::decode<protocol::Refused>(*head, {});
    if (refused) core_.on_event(ReadRefused{std::move(*refused)}, now, out);
  }
}

void Reader::take_news(net::Received received, TimePoint now, ReadActions& out) {
  const auto head = HeadReader::parse(received.message.head);
  if (!head) return;
  auto& payload = received.message.payload;
  if (head->name() == protocol::Notification::kName) {
    auto news = protocol::decode<protocol::Notification>(*head, std::move(payload));
    if (news) core_.on_event(NotificationReceived{std::move(*news)}, now, out);
  } else if (head->name() == protocol::LogHead::kName) {
    const auto log = protocol::decode<protocol::LogHead>(*head, {});
    if (log) core_.on_event(LogHeadReceived{*log}, now, out);
  } else if (head->name() == protocol::Progress::kName && callbacks_.on_progress) {
    auto progress = protocol::decode<protocol::Progress>(*head, std::move(payload));
    if (progress) callbacks_.on_progress(std::move(*progress));
  }
}

void Reader::perform(ReadActions actions) {
  for (auto& action : actions) {
    if (auto* batch = std::get_if<TakeBatch>(&action))
      callbacks_.on_batch(std::move(*batch));
    else if (const auto* read = std::get_if<SendRead>(&action))
      sink_->send(protocol::encode(read->read));
    else if (const auto* ask = std::get_if<AskHead>(&action))
      sink_->send(protocol::encode(protocol::Query{ask->request, "status", 0, 0, {}}));
    else if (const auto* silent = std::get_if<ReadSilent>(&action))
      callbacks_.on_trouble(silent->error, false);
    else if (const auto* ended = std::get_if<ReadEnded>(&action))
      ended->kept_from ? callbacks_.on_gone(ended->error, *ended->kept_from)
                       : callbacks_.on_trouble(ended->error, true);
  }
}

}  // namespace eole::client
