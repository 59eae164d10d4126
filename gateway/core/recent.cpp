#include "gateway/core/recent.hpp"

#include <utility>

#include "common/base/text.hpp"
#include "common/base/topics.hpp"
#include "common/protocol/result_view.hpp"
#include "gateway/core/http/websocket.hpp"

namespace eole::gateway {

namespace {

// Its size tells who wants it that there is more to ask for.
void shorten(protocol::Value& view) {
  for (const auto* name : {"value", "body"}) {
    const auto& value = view[name];
    if (value.is_null()) continue;
    const auto bytes = value.to_msgpack().size();
    if (bytes <= kShownValueBytesMax) continue;
    view.set(name, protocol::Value());
    view.set("value_bytes", std::uint64_t{bytes});
  }
}

std::size_t bytes_of(const Event& event) {
  return sizeof(Event) + event.project.size() + event.topic.size() + event.wamp_topic.size() +
         event.frame.size();
}

}  // namespace

std::vector<EventPointer> events_of(std::string_view bytes, std::uint64_t from) {
  std::vector<EventPointer> events;
  const auto batch = protocol::read_batch(bytes);
  if (!batch) return events;
  protocol::ResultReader records(batch->records);
  for (std::uint32_t i = 0; i < batch->count; ++i) {
    const auto result = records.next();
    const auto offset = batch->first_offset + i;
    if (!result) break;
    if (offset < from) continue;
    auto view = protocol::view_of(*result, batch->worker, offset);
    shorten(view);
    const auto state = view["state"].text_or("");
    auto event = std::make_shared<Event>();
    event->offset = offset;
    event->project = result->project;
    event->topic = topic_of(result->project, result->kind, state);
    event->wamp_topic = text("eole.", result->project, ".", result->kind, ".", state);
    const auto json = view.to_json();
    event->frame = http::encode_frame(http::Opcode::kText, json);
    event->json_at = event->frame.size() - json.size();
    events.push_back(std::move(event));
  }
  return events;
}

void put_event(std::string& out, const Event& event, Format format) {
  if (format == Format::kWebSocket)
    out += event.frame;
  else
    out += text("id: ", event.offset, "\ndata: ", event.json(), "\n\n");
}

void Recent::start(std::uint64_t offset) {
  pieces_ = {};
  events_.clear();
  bytes_ = 0;
  begin_ = offset;
  is_started_ = true;
}

void Recent::add(EventPointer event) {
  if (!is_started_ || event->offset > end()) start(event->offset);
  if (event->offset < end()) return;
  bytes_ += bytes_of(*event);
  events_.push_back(std::move(event));
  while (bytes_ > kRecentBytesMax && events_.size() > 1) {
    bytes_ -= bytes_of(*events_.front());
    events_.pop_front();
    ++begin_;
  }
}

const Piece& Recent::piece(std::uint64_t from, const Interest& interest, Format format) {
  for (const auto& known : pieces_) {
    const bool is_whole = known.to == end() || (known.bytes && known.bytes->size() >= kPieceBytes);
    if (known.from == from && known.to > from && is_whole && known.format == format &&
        known.interest == interest)
      return known;
  }
  std::string bytes;
  auto to = from;
  for (; to < end() && bytes.size() < kPieceBytes; ++to)
    if (interest.has(*at(to))) put_event(bytes, *at(to), format);
  auto& made = pieces_[next_piece_++ % kPiecesMax];
  made = {from, to, interest, format, {}};
  if (!bytes.empty()) made.bytes = std::make_shared<const std::string>(std::move(bytes));
  return made;
}

}  // namespace eole::gateway
