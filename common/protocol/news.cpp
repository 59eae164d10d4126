#include "common/protocol/news.hpp"

#include <algorithm>
#include <array>

#include "common/base/text.hpp"

namespace eole::protocol {

namespace {

// What a topic may be made of: whoever sends news chooses none of its own.
constexpr std::array<std::string_view, 6> kAbouts{"task",     "project", "worker",
                                                  "schedule", "limit",   "disk"};
constexpr std::array<std::string_view, 13> kEvents{
    "accepted", "started", "progress", "output", "created", "joined", "suspect",
    "left",     "lost",    "fired",    "reached", "low",    "enough"};

bool is_one_of(const auto& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

std::vector<News> encode_news(std::string_view role, const std::vector<NewsItem>& items) {
  std::vector<News> messages;
  Value::Array list;
  const auto close = [&] {
    if (list.empty()) return;
    messages.push_back({std::string(role), Value(std::move(list)).to_msgpack()});
    list = {};
  };
  for (const auto& item : items) {
    list.push_back(Value::Map{{"event", item.event},
                              {"about", item.about},
                              {"name", item.name},
                              {"project", item.project},
                              {"kind", item.kind},
                              {"more", item.more},
                              {"time", item.unix_ms}});
    if (list.size() == kNewsItemsMax) close();
  }
  close();
  return messages;
}

Expected<std::vector<NewsItem>> decode_news(const News& news) {
  const auto value = Value::from_msgpack(news.payload);
  const auto* list = value ? value->as<Value::Array>() : nullptr;
  if (list == nullptr) return Error{"news: no list"};
  if (list->size() > kNewsItemsMax)
    return Error{text("news: ", list->size(), " items, limit ", kNewsItemsMax)};
  std::vector<NewsItem> items;
  for (const auto& each : *list) {
    NewsItem item{each["event"].text_or(""),   each["about"].text_or(""), each["name"].text_or(""),
                  each["project"].text_or(""), each["kind"].text_or(""),  {},
                  each["time"].int_or(0)};
    const auto* more = each["more"].as<Value::Map>();
    if (more != nullptr) item.more = *more;
    const bool is_flat = std::none_of(item.more.begin(), item.more.end(), [](const auto& member) {
      return member.second.template as<Value::Map>() || member.second.template as<Value::Array>();
    });
    if (item.more.size() > kNewsMembersMax || !is_flat)
      return Error{text("news: more than ", kNewsMembersMax, " flat members")};
    const bool is_known = is_one_of(kEvents, item.event);
    if (!is_known || !is_one_of(kAbouts, item.about))
      return Error{text("news: ", item.about, " ", item.event, ": is not known")};
    items.push_back(std::move(item));
  }
  return items;
}

std::string topic_of(const NewsItem& item) {
  if (item.about == "task") return event_topic(item.project, item.kind, item.event);
  return about_topic(item.project, item.about, item.event);
}

Event event_of(const NewsItem& item, std::string_view source, std::uint64_t number) {
  Value::Map data;
  for (const auto& [name, value] :
       Value::Map{{"kind", item.kind}, {"project", item.project}})
    if (value != Value("")) data.emplace_back(name, value);
  data.emplace_back("state", item.event);
  for (const auto& member : item.more) data.push_back(member);
  return {text(source, "-", number), std::string(source),
          text("eole.", item.about, ".", item.event), item.name, item.unix_ms, std::move(data)};
}

std::optional<NewsItem> DiskNews::look(std::string_view role, std::uint64_t free_bytes,
                                       TimePoint now, std::int64_t unix_ms) {
  const bool is_low = free_bytes < kLowBytes;
  if (is_low ? again_ && now < *again_ : !again_) return std::nullopt;
  again_ = is_low ? std::optional(now + 60s) : std::nullopt;
  return NewsItem{is_low ? "low" : "enough", "disk", std::string(role), {}, {},
                  {{"free_bytes", free_bytes}}, unix_ms};
}

}  // namespace eole::protocol
