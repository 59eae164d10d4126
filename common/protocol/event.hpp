#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "common/protocol/records.hpp"
#include "common/protocol/value.hpp"

/// Events as anybody's subscriber reads them, one a message: CloudEvents, as JSON or as a msgpack
/// map, under a topic of its own.
namespace eole::protocol {

inline constexpr std::string_view kJsonTopics = "json.";
inline constexpr std::string_view kMsgpackTopics = "event.";
bool is_event_topic(std::string_view topic);

/// "shop.echo.done": names with dots have %2E for each, and %25 for a percent sign.
std::string event_topic(std::string_view project, std::string_view kind, std::string_view state);

/// Of what is no task, a word that is no kind's name stands in its place: "shop.%project.over",
/// ".%worker.joined".
std::string about_topic(std::string_view project, std::string_view about, std::string_view event);

/// What happened to a task or in the cluster; `data` is a map.
struct Event {
  std::string id;
  std::string source;
  std::string type;     // "eole.task.done"
  std::string subject;  // A task, project, worker …
  std::int64_t unix_ms = 0;
  Value data;
  Value view() const;
};

using IsWanted = std::function<bool(std::string_view topic)>;
using Publish = std::function<void(const std::string& topic, std::string bytes)>;

/// Publishes one event in each writing whose topic is wanted.
void publish_event(const std::string& topic, const IsWanted& is_wanted, const Publish& publish,
                   const std::function<Event()>& event);

/// Publishes each result of a batch of the log `log` likewise, and of a project's last task that it
/// is over.
void each_event(std::string_view batch, std::uint64_t log, const IsWanted& is_wanted,
                const Publish& publish);

}  // namespace eole::protocol
