#include "tests/simulation/tracked.hpp"

#include "common/base/text.hpp"
#include "tests/simulation/fabric.hpp"
#include "tests/simulation/task_bodies.hpp"

namespace eole::simulation {

using protocol::Value;

// Its last task is another one each time; or it names none, until it names one.
Value Tracked::wish() {
  if (last_.empty() && fabric_.world.chance(0.3)) return Value::Map{{"project", kTracked}};
  const auto project = text(kTracked, "/collect");
  last_ = text(kLast, " ", fabric_.world.draw(), class_mark("work", project));
  Plan plan{{"work", project}};
  plan.last_of = kTracked;
  fabric_.ledger.on_submit(last_, std::move(plan));
  protocol::TaskGroups groups;
  groups.add(protocol::TaskClass{"work"}, last_);
  return Value::Map{{"project", kTracked}, {"collect", protocol::Blob{groups.take()}}};
}

void Tracked::open(Origin origin) {
  origin_ = origin;
  auto wanted = wish();
  if (fabric_.world.chance(0.4)) wanted.set("expected", 1 + fabric_.world.below(20));
  ask_open(wanted);
}

void Tracked::ask_open(const Value& wish) {
  control("open", wish, [this, wish](const Expected<Value>& answer) {
    // A full disk refuses it; and a project that is full already, if its first answer was lost.
    if (!answer && !answer.error().message.ends_with("was closed"))
      return client_.after(1s, [this, wish] { ask_open(wish); });
    if (answer)
      fabric_.ledger.projects().on_opened(origin_, std::string(kTracked), fabric_.world.now());
    end_it();
  });
}

void Tracked::end_it() {
  const bool with_its_tasks = fabric_.world.chance(0.3);
  client_.after(fabric_.world.between(1s, 30s),
                [this, with_its_tasks] { with_its_tasks ? cancel(0) : close(); });
}

void Tracked::close() {
  control("close", Value::Map{{"project", kTracked}}, [this](const Expected<Value>& answer) {
    answer ? on_closed() : client_.after(1s, [this] { close(); });
  });
}

void Tracked::cancel(const Value& after) {
  const auto asked = fabric_.world.now();
  fabric_.ledger.projects().on_cancelling(origin_, std::string(kTracked));
  control("cancel", Value::Map{{"project", kTracked}, {"after", after}},
          [this, after, asked](const Expected<Value>& answer) {
            if (!answer) return client_.after(1s, [this, after] { cancel(after); });
            if (!(*answer)["next"].is_null()) return cancel((*answer)["next"]);
            fabric_.ledger.projects().on_cancelled(origin_, std::string(kTracked), asked);
            on_closed();
          });
}

void Tracked::on_closed() {
  fabric_.ledger.projects().on_closed(origin_, std::string(kTracked));
  fabric_.world.chance(0.5) ? look() : void(is_closed_ = true);
}

// Until it is over, as long as faults are to come.
void Tracked::look() {
  if (!fabric_.is_rough()) return void(is_closed_ = true);
  ask("project", {}, Value::Map{{"project", kTracked}}, [this](const Expected<Value>& answer) {
    if (!answer || (*answer)["state"].text_or("") != "over")
      return client_.after(2s, [this] { look(); });
    fabric_.world.chance(0.5) ? open_in_vain() : open_again();
  });
}

// It is closed. Copies of this come late, perhaps when it is open again.
void Tracked::open_in_vain() {
  const auto wanted = wish();
  const auto last = last_;
  control("open", wanted, [this, last](const Expected<Value>& answer) {
    if (!answer && answer.error().message.ends_with("was closed") && !last.empty())
      fabric_.ledger.on_refused(last);
    open_again();
  });
}

void Tracked::open_again() {
  fabric_.ledger.projects().on_opening_again(origin_, std::string(kTracked), fabric_.world.now());
  auto wanted = wish();
  wanted.set("is_again", true);
  open_again(wanted);
}

void Tracked::open_again(const Value& wish) {
  control("open", wish, [this, wish](const Expected<Value>& answer) {
    if (!answer) return client_.after(1s, [this, wish] { open_again(wish); });
    missing_.clear();
    ask_missing({});
  });
}

// ---- What was not done, once more.

void Tracked::ask_missing(const Value& from) {
  const Value options = Value::Map{{"project", kTracked}, {"missing", true}, {"from", from}};
  ask(sink_, "parts", {}, options, [this](const Expected<Value>& page) {
    // Refused if it does not keep all of them any more.
    if (!page || page->is_null()) return end_it();
    if (const auto* list = (*page)["parts"].as<Value::Array>())
      for (const auto& part : *list) missing_[*parse_task_id(part["id"].text_or(""))] = part;
    if (!(*page)["next"].is_null()) return ask_missing((*page)["next"]);
    fabric_.ledger.projects().on_missing(origin_, std::string(kTracked), missing_);
    do_anew();
    end_it();
  });
}

void Tracked::do_anew() {
  std::map<std::string, TaskId> last;  // Who was the last to do a part, and did not.
  for (const auto& [id, part] : missing_) last[part["instead_of"].text_or(to_text(id))] = id;
  for (const auto& [id, part] : missing_)
    if (part["state"].text_or("") == "done") last.erase(part["instead_of"].text_or(to_text(id)));
  for (const auto& [part, id] : last)
    if (id.origin == origin_) do_anew(id);  // Others have a project of that name, too.
}

// By what the sink keeps of it, but for its arguments: those are a task's own here.
void Tracked::do_anew(const TaskId& id) {
  ask(sink_, "spec", id, Value::Map{}, [this, id](const Expected<Value>& raw) {
    const auto* blob = raw ? raw->as<protocol::Blob>() : nullptr;
    if (blob == nullptr) return;
    ByteReader reader(blob->bytes);
    const auto group = protocol::read_task_group(reader);
    ByteReader specs(group->specs);
    const auto spec = protocol::read_task_spec(specs);
    Plan plan{*protocol::decode_class(group->task_class)};
    if (!spec->conditions.empty()) plan.conditions = *protocol::decode_conditions(spec->conditions);
    plan.trace = spec->trace;
    plan.parents = *protocol::decode_parents(plan.conditions.parents);
    fabric_.ledger.on_spec(id, spec->args, plan);
    const auto mark = class_mark(plan.task_class.kind, plan.task_class.project);
    submit_(text("plain anew.", fabric_.world.draw(), mark), std::move(plan));
  });
}

}  // namespace eole::simulation
