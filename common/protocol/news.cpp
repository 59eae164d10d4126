#include "common/protocol/news.hpp"

#include <algorithm>
#include <array>

#include "common/base/text.hpp"

namespace eole::protocol {

namespace {

// What a topic may be made of: whoever sends news chooses none of its own.
constexpr std::array<std::string_view, 4> kAbouts{"task", "project", "worker", "schedule"};
constexpr std::array<std::string_view, 10> kEvents{"accepted", "started", "progress", "output",
                                                   "created",  "over",    "joined",   "left",
                                                   "lost",     "fired"};

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
  const auto topic = event_topic(item.project, "", "");
  return text(std::string_view(topic).substr(0, topic.size() - 1), "%", item.about, ".",
              item.event);
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

}  // namespace eole::protocol
