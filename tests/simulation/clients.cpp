#include "common/base/crc32c.hpp"
#include "common/base/text.hpp"
#include "common/protocol/value.hpp"
#include "tests/simulation/fabric.hpp"
#include "tests/simulation/task_bodies.hpp"

namespace eole::simulation {

using protocol::put_task_spec;
using protocol::Value;

SimClient::SimClient(Fabric& fabric, int number)
    : fabric_(fabric),
      name_(text("c", number)),
      run_(fabric.world.draw()),
      wanted_(static_cast<std::uint64_t>(fabric.weather.submits)) {}

void SimClient::begin() {
  fabric_.world.after(fabric_.world.between(Duration(0), 2s), [this] { submit_next(); });
}

void SimClient::submit_next() {
  if (sent_ == wanted_) return;
  auto& world = fabric_.world;
  protocol::Submit submit;
  submit.run = run_;
  submit.request = ++sent_;
  submit.confirmed = open_.empty() ? submit.request - 1 : open_.begin()->first - 1;
  submit.count = 1 + static_cast<std::uint32_t>(world.below(8));
  for (std::uint32_t i = 0; i < submit.count; ++i) {
    std::string body = world.chance(fabric_.weather.poison)    ? std::string(kPoison)
                       : world.chance(fabric_.weather.failing) ? std::string(kFailing)
                                                               : "plain";
    body += text(" ", name_, ".", submit.request, ".", i, std::string(world.below(300), 'x'));
    put_task_spec(submit.payload, {body.starts_with(kFailing), "work", "", body});
    bodies_[submit.request].push_back(std::move(body));
  }
  const auto request = submit.request;
  open_.emplace(request, std::move(submit));
  send(request);
  world.after(world.between(1ms, 2s), [this] { submit_next(); });
}

void SimClient::send(std::uint64_t request) {
  const auto found = open_.find(request);
  if (found == open_.end()) return;
  fabric_.to_ventilator([name = name_, submit = found->second] {
    return ventilator::Submitted{name, submit, "", false};
  });
  fabric_.world.after(1s, [this, request] { send(request); });
}

void SimClient::on_accepted(const protocol::Accepted& accepted) {
  const auto found = open_.find(accepted.request);
  if (found == open_.end() || found->second.count != accepted.count) return;
  const auto& bodies = bodies_[accepted.request];
  auto& world = fabric_.world;
  for (std::uint32_t i = 0; i < accepted.count; ++i) {
    const TaskId id{accepted.origin, accepted.first + i};
    auto& promise = fabric_.promises[id];
    if (!promise.body.empty() && promise.body != bodies[i])
      throw Violation{text(to_text(id), " was promised for two different tasks")};
    promise.body = bodies[i];
    if (!world.chance(fabric_.weather.cancelled)) continue;
    world.after(world.between(Duration(0), 3s), [this, id] {
      fabric_.to_ventilator([name = name_, id] { return ventilator::CancelAsked{name, 1, id}; });
    });
  }
  open_.erase(found);
  ++answered_;
}

void SimSubscriber::begin() { poll(); }

void SimSubscriber::poll() {
  fabric_.send(*fabric_.sink, [this] {
    fabric_.sink->on_read({1, log_, offset_, crc_, 4096}, [this](protocol::Records records) {
      fabric_.world.after(fabric_.world.between(20us, 5ms),
                          [this, records = std::move(records)] { on_records(records); });
    });
  });
  fabric_.world.after(700ms, [this] { poll(); });
}

void SimSubscriber::on_records(const protocol::Records& records) {
  ByteReader reader(records.payload);
  while (!reader.is_done()) {
    const auto encoded = reader.take(reader.get<std::uint32_t>());
    const auto batch = protocol::read_batch(encoded);
    if (!batch) throw Violation{"the log has a malformed batch"};
    if (batch->first_offset != offset_) continue;  // Of an answer that came twice.
    ByteReader results(batch->records);
    for (std::uint32_t i = 0; i < batch->count; ++i) {
      const auto result = protocol::read_result(results);
      fabric_.note_result(*result, batch->first_offset + i);
      // The result is of the task that was promised under this id.
      const auto body = Value::from_msgpack(result->body);
      const auto promise = fabric_.promises.find(result->id);
      if (promise == fabric_.promises.end() || promise->second.body.empty() || !body) continue;
      const auto value = (*body)["value"].text_or("");
      if (!value.empty() && value != promise->second.body)
        throw Violation{text(to_text(result->id), " has the result of another task")};
    }
    offset_ += batch->count;
    crc_ = crc32c(encoded);
    log_ = records.log;
  }
}

}  // namespace eole::simulation
