#include "common/protocol/event.hpp"

#include "common/base/text.hpp"
#include "common/protocol/body_json.hpp"
#include "common/protocol/result_view.hpp"
#include "common/protocol/task_class.hpp"
#include "common/protocol/wanted.hpp"

namespace eole::protocol {

namespace {

constexpr std::string_view kSpecVersion = "1.0";  // Of CloudEvents.

std::string json_of(std::string_view text) { return Value(text).to_json(); }

// What the events of one run share is written once: their results are many.
class RunEvents {
 public:
  RunEvents(const ResultRecord& first, std::string_view worker, std::uint64_t log)
      : log_(hex(log)), worker_(worker), type_(text("eole.task.", state_of(first))) {
    shared_ = text(R"(","source":"/eole/log/)", log_, R"(","type":")", type_, R"(","time":")",
                   rfc3339(first.finished_unix_ms), R"(","subject":")");
    data_ = text(R"(,"kind":)", json_of(first.kind), R"(,"project":)", json_of(first.project),
                 R"(,"state":")", state_of(first), R"(","attempt":)", first.attempt,
                 R"(,"worker":)", json_of(worker));
  }

  std::string json(const ResultRecord& result, std::uint64_t offset) const {
    auto out = text(R"({"specversion":")", kSpecVersion, R"(","id":")", log_, "-", offset, shared_,
                    to_text(result.id), R"(","data":{"offset":)", offset, data_);
    put_body_json(out, result.body);
    return out += "}}";
  }

  std::string msgpack(const ResultRecord& result, std::uint64_t offset) const {
    Event event{text(log_, "-", offset), text("/eole/log/", log_), type_, to_text(result.id),
                result.finished_unix_ms, {}};
    Value::Map data{{"offset", offset},
                            {"kind", result.kind},
                            {"project", result.project},
                            {"state", state_of(result)},
                            {"attempt", std::uint32_t{result.attempt}},
                            {"worker", worker_}};
    const auto body = body_view(result.body);
    for (const auto& member : *body.as<Value::Map>()) data.push_back(member);
    event.data = std::move(data);
    return event.view().to_msgpack();
  }

 private:
  std::string log_;
  std::string_view worker_;
  std::string type_;
  std::string shared_;
  std::string data_;
};

// The last task of a project ended, at this offset.
Event over_of(const ResultRecord& last, std::string_view project, std::uint64_t offset,
              std::uint64_t log) {
  return {text(hex(log), "-", offset, "-over"), text("/eole/log/", hex(log)), "eole.project.over",
          std::string(project), last.finished_unix_ms,
          Value::Map{{"offset", offset},
                     {"project", project},
                     {"state", "over"},
                     {"last", to_text(last.id)},
                     {"last_state", state_of(last)}}};
}

void put_word(std::string& topic, std::string_view name) {
  for (const char letter : name) {
    if (letter == '.')
      topic += "%2E";
    else if (letter == '%')
      topic += "%25";
    else
      topic += letter;
  }
}

}  // namespace

bool is_event_topic(std::string_view topic) {
  return topic.starts_with(kJsonTopics) || topic.starts_with(kMsgpackTopics);
}

std::string event_topic(std::string_view project, std::string_view kind, std::string_view state) {
  std::string topic;
  put_word(topic, project);
  topic += '.';
  put_word(topic, kind);
  return text(topic, ".", state);
}

Value Event::view() const {
  return Value::Map{{"specversion", kSpecVersion}, {"id", id},
                    {"source", source},            {"type", type},
                    {"subject", subject},          {"time", rfc3339(unix_ms)},
                    {"data", data}};
}

std::string about_topic(std::string_view project, std::string_view about, std::string_view event) {
  const auto topic = event_topic(project, "", "");
  return text(std::string_view(topic).substr(0, topic.size() - 1), "%", about, ".", event);
}

void publish_event(const std::string& topic, const IsWanted& is_wanted, const Publish& publish,
                   const std::function<Event()>& event) {
  const auto json_topic = text(kJsonTopics, topic);
  const auto msgpack_topic = text(kMsgpackTopics, topic);
  if (is_wanted(json_topic)) publish(json_topic, event().view().to_json());
  if (is_wanted(msgpack_topic)) publish(msgpack_topic, event().view().to_msgpack());
}

void each_event(std::string_view encoded, std::uint64_t log, const IsWanted& is_wanted,
                const Publish& publish) {
  const auto batch = read_batch(encoded);
  if (!batch) return;
  auto offset = batch->first_offset;
  for (ByteReader runs(batch->records); auto run = read_result_run(runs);) {
    const auto end = offset + run->count;
    const auto topic = event_topic(run->first.project, run->first.kind, state_of(run->first));
    const auto json_topic = text(kJsonTopics, topic);
    const auto msgpack_topic = text(kMsgpackTopics, topic);
    const bool has_json = is_wanted(json_topic);
    const bool has_msgpack = is_wanted(msgpack_topic);
    if (auto project = run->first.project; run->first.is_final && project.ends_with(kCollectSuffix)) {
      project.remove_suffix(kCollectSuffix.size());
      publish_event(about_topic(project, "project", "over"), is_wanted, publish,
                    [&] { return over_of(run->first, project, offset, log); });
    }
    if (has_json || has_msgpack) {
      const RunEvents events(run->first, batch->worker, log);
      for (; offset < end; ++offset) {
        const auto result = run->record();
        if (has_json) publish(json_topic, events.json(result, offset));
        if (has_msgpack) publish(msgpack_topic, events.msgpack(result, offset));
        if (offset + 1 < end) *run = run->behind(1);
      }
    }
    offset = end;
  }
}

}  // namespace eole::protocol
