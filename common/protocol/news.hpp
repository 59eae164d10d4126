#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/time.hpp"
#include "common/protocol/event.hpp"
#include "common/protocol/messages.hpp"

namespace eole::protocol {

constexpr std::size_t kNewsItemsMax = 1024;  // Of one message.
constexpr std::size_t kNewsMembersMax = 16;  // Of one item, in `more`.

/// One thing that happened just now.
struct NewsItem {
  std::string event;         // "accepted", "joined" …
  std::string about;         // "task", "project", "worker", "schedule", "limit" or "disk".
  std::string name = {};     // Of that; a task's is its id.
  std::string project = {};  // Of a task, or the project itself.
  std::string kind = {};     // Of a task.
  Value::Map more = {};
  std::int64_t unix_ms = 0;
  bool operator==(const NewsItem&) const = default;
};

/// Each of at most kNewsItemsMax.
std::vector<News> encode_news(std::string_view role, const std::vector<NewsItem>& items);
/// Errors: not such a list, too many, a word that no news has.
Expected<std::vector<NewsItem>> decode_news(const News& news);

/// "shop.echo.started", or that of about_topic.
std::string topic_of(const NewsItem& item);
/// `number`: of the sink's news, which has no offset.
Event event_of(const NewsItem& item, std::string_view source, std::uint64_t number);

/// Of a disk on which there is little room: told when it begins, every minute, and when it is over.
class DiskNews {
 public:
  static constexpr std::uint64_t kLowBytes = 1 << 30;
  /// `role`: whose disk.
  std::optional<NewsItem> look(std::string_view role, std::uint64_t free_bytes, TimePoint now,
                               std::int64_t unix_ms);

 private:
  std::optional<TimePoint> again_;  // While it is low.
};

}  // namespace eole::protocol
