#include "ventilator/core/fleet.hpp"

#include <algorithm>

#include "common/base/planted.hpp"
#include "common/base/text.hpp"

namespace eole::ventilator {

namespace {
constexpr std::uint8_t kRecallsMax = 3;  // A recalled task must not wander for ever.
constexpr std::size_t kRecalledMax = 64;
constexpr std::size_t kRecallsTried = 1024;  // Tasks looked at in one turn.
constexpr std::size_t kLeftMax = 10'000;     // Who left or was lost: remembered for kLeftFor.
constexpr Duration kLeftFor = 24h;

std::string text_of(const std::set<std::string, std::less<>>& kinds) {
  std::string list;
  for (const auto& kind : kinds) list += (list.empty() ? "" : ",") + kind;
  return list;
}

// "echo,sleep"
std::set<std::string, std::less<>> kinds_of(std::string_view list) {
  std::set<std::string, std::less<>> kinds;
  while (!list.empty()) {
    const auto end = std::min(list.find(','), list.size());
    if (end > 0) kinds.emplace(list.substr(0, end));
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return kinds;
}
}  // namespace

Worker::Worker(Peer from, std::string key, const Link& its_link, protocol::Hello hello,
               std::vector<protocol::RunnerOffer> its_runners, TimePoint now)
    : peer(std::move(from)),
      user(std::move(key)),
      link(its_link),
      about(std::move(hello)),
      silence(now),
      leases(its_link.run),
      has{kinds_of(about.kinds), {}, std::move(its_runners)} {
  for (const auto& runner : has.runners)
    for (const auto& kind : runner.kinds)
      if (runner.problem.empty()) has.kinds.insert(kind.name);
  if (auto offered = protocol::parse_offers(about.labels, about.resources))
    has.offers = std::move(*offered);
}

void Worker::release(std::uint64_t tasks) {
  if (tasks == 0) return;
  leases.release(tasks);
  if (leases.outstanding() == 0 && std::exchange(alone, {})) is_others_turn = true;
}

bool Worker::is_idle() const {
  return leases.outstanding() == 0 && !beats.has_strays && room() > 0 && !silence.is_suspect();
}

std::uint64_t Worker::room() const {
  if (is_paused && !planted("paused-worker-leased")) return 0;
  const auto most = planted("credit-without-a-bound") ? UINT64_MAX : kLeasedMax;
  return leases.outstanding() < most ? std::min(credit.room(), most - leases.outstanding()) : 0;
}

bool Worker::has_free_slot() const {
  const auto slots = std::max<std::uint64_t>(about.slots, 1);
  return leases.outstanding() < slots && room() > 0 && !silence.is_suspect() && !alone;
}

Worker* Fleet::find(RunId run) {
  const auto found = workers_.find(run);
  return found == workers_.end() ? nullptr : &found->second;
}

const Worker* Fleet::find(RunId run) const {
  const auto found = workers_.find(run);
  return found == workers_.end() ? nullptr : &found->second;
}

Worker* Fleet::find(const Link& link) {
  auto* worker = find(link.run);
  const bool is_its = worker != nullptr && (worker->link == link || planted("old-link-believed"));
  return is_its ? worker : nullptr;
}

Worker* Fleet::find(const Link& link, const Peer& peer, const std::string& user) {
  auto* worker = find(link);
  const bool is_its = worker != nullptr && worker->peer == peer && worker->user == user;
  return is_its || planted("anybody-speaks-for-a-worker") ? worker : nullptr;
}

Fleet::Admission Fleet::admit(const Peer& peer, const std::string& user,
                              const protocol::Hello& hello, TimePoint now) const {
  using Is = Admission::Is;
  const auto* known = find(hello.run);
  if (const auto offers = protocol::parse_offers(hello.labels, hello.resources); !offers)
    return {Is::kRefused, text("hello: ", offers.error().message)};
  if (known == nullptr) return admit_new(user, now);
  if (known->user != user && !planted("any-key-takes-a-run"))
    return {Is::kRefused, text("hello: run ", hex(hello.run), " is another key's")};
  if (hello.hello <= known->link.hello)
    return {hello.hello == known->link.hello ? Is::kRepeated : Is::kLate};
  const bool is_jump = hello.hello - known->link.hello > kHelloJumpMax;
  if (peer != known->peer && is_jump && !planted("any-jump-of-hellos"))
    return {Is::kRefused,
            text("hello: number ", hello.hello, " on another connection, the last was ",
                 known->link.hello, ", limit ", kHelloJumpMax, " more")};
  return {};
}

// What one key may have leaves room for others. If all places are taken, one goes that said hello
// and nothing since, and has nothing: it is dead, or was never there.
Fleet::Admission Fleet::admit_new(const std::string& user, TimePoint now) const {
  using Is = Admission::Is;
  if (planted("workers-without-a-bound")) return {};
  const auto most = user.empty() ? config_.workers_max : config_.workers_max / 2;
  std::size_t its = 0;
  const Worker* oldest = nullptr;
  for (const auto& [run, worker] : workers_) {
    if (worker.user != user) continue;
    ++its;
    if (worker.beats.was_heard || worker.leases.outstanding() > 0) continue;
    const auto said_hello = worker.silence.last_heard();
    if (now < said_hello + config_.heartbeat) continue;
    if (oldest == nullptr || said_hello < oldest->silence.last_heard()) oldest = &worker;
  }
  if (its < most && workers_.size() < config_.workers_max) return {};
  if (oldest != nullptr) return {Is::kWelcome, {}, oldest->link.run};
  return {Is::kRefused, text("hello: ", its, " workers of this key and ", workers_.size(),
                             " in all are here, limits ", most, " and ", config_.workers_max)};
}

Worker& Fleet::put(Worker worker, const Worker& before, TimePoint now) {
  const auto run = worker.link.run;
  next_judgement_ = std::min(next_judgement_, now + config_.suspect_after);
  const auto known = workers_.find(run);
  count_kinds(worker, true);
  if (known == workers_.end()) {
    order_.push_back(run);
    return workers_[run] = std::move(worker);
  }
  count_kinds(before, false);
  worker.is_open = before.is_open;
  worker.ended = before.ended;
  return known->second = std::move(worker);
}

Worker Fleet::take(RunId run) {
  auto node = workers_.extract(run);
  std::erase(order_, run);
  std::erase(open_, run);
  count_kinds(node.mapped(), false);
  left_.push_back(last_now_);
  if (left_.size() > kLeftMax) left_.pop_front();
  return std::move(node.mapped());
}

std::size_t Fleet::left(TimePoint now) const {
  const auto first = std::lower_bound(left_.begin(), left_.end(), now - kLeftFor);
  return static_cast<std::size_t>(left_.end() - first);
}

void Fleet::count_kinds(const Worker& worker, bool is_here) {
  for (const auto& kind : worker.has.kinds) {
    if (is_here) {
      ++kinds_[kind];
    } else if (const auto found = kinds_.find(kind); --found->second == 0) {
      kinds_.erase(found);
    }
  }
}

void Fleet::pause(std::string_view name, bool is_paused) {
  for (auto& [run, worker] : workers_)
    if (worker.about.name == name) worker.is_paused = is_paused;
}

void Fleet::take_levels(Worker& worker, std::uint64_t received, std::uint64_t limit) {
  worker.credit.take(received, limit);
  if (worker.is_open || worker.credit.room() == 0) return;
  worker.is_open = true;
  open_.push_back(worker.link.run);
}

void Fleet::end_pipe(Worker& worker, TimePoint now) {
  worker.silence.end_pipe(now);
  worker.credit.close();
  next_judgement_ = std::min(next_judgement_, now + config_.grace);
}

// With its hello it may give back what an earlier start asked for, and is granted nothing yet.
void Fleet::end_credit(Worker& worker) {
  if (!worker.beats.was_heard || planted("returned-and-sent-more")) return;
  worker.credit.close();
}

std::vector<Worker*> Fleet::open(std::optional<RunId> reserved) {
  std::vector<Worker*> open;
  std::erase_if(open_, [&](RunId run) {
    auto* worker = find(run);
    if (worker == nullptr) return true;
    worker->is_open = worker->credit.room() > 0;  // And may have too much as yet.
    if (worker->room() > 0 && !worker->silence.is_suspect() && !worker->alone && reserved != run)
      open.push_back(worker);
    return !worker->is_open;
  });
  if (!open.empty())
    std::rotate(open.begin(), open.begin() + static_cast<std::ptrdiff_t>(turn_++ % open.size()),
                open.end());
  return open;
}

std::vector<Fleet::Lost> Fleet::judge(TimePoint now) {
  // A loop that comes late has not read its input yet: its lateness is nobody's silence.
  constexpr Duration kLate = 500ms;
  const auto lateness = now - std::exchange(last_now_, now);
  if (lateness > config_.heartbeat + kLate && !planted("late-loop-blames-others"))
    for (auto& [run, worker] : workers_) worker.silence.forgive(lateness, now);
  if (now < next_judgement_) return {};
  next_judgement_ = now + config_.suspect_after;
  std::vector<Lost> lost;
  for (auto& [run, worker] : workers_) {
    if (auto reason = worker.silence.judge(config_, now)) lost.push_back({run, std::move(*reason)});
    next_judgement_ = std::min(next_judgement_, worker.silence.next_judgement(config_));
  }
  return lost;
}

std::optional<TimePoint> Fleet::next_deadline() const {
  if (workers_.empty()) return std::nullopt;
  return next_judgement_;
}

std::vector<const Worker*> Fleet::free() const {
  std::vector<const Worker*> free;
  for (const auto& [run, worker] : workers_)
    if (worker.has_free_slot()) free.push_back(&worker);
  return free;
}

std::vector<protocol::Order> Fleet::recall(Origin origin, const std::vector<const Worker*>& wanting,
                                           const ClassOf& class_of, Tasks& tasks, Worker*& from) {
  std::vector<Worker*> rich;
  for (auto& [run, worker] : workers_)
    if (!worker.waiting.empty()) rich.push_back(&worker);
  std::sort(rich.begin(), rich.end(),
            [](auto* a, auto* b) { return a->waiting.size() > b->waiting.size(); });
  const auto is_wanted = [&](Seq seq, const Worker* holder) {
    const auto* task_class = class_of(seq);
    if (task_class == nullptr) return false;
    return std::any_of(wanting.begin(), wanting.end(), [&](const Worker* worker) {
      return worker != holder && (room(*worker, *task_class, tasks.placement()) > 0 ||
                                  planted("recalled-for-who-does-not-fit"));
    });
  };
  // What nobody has room for would come back to where it was.
  std::uint64_t places = 0;
  for (const auto* worker : wanting) places += worker->room();
  std::vector<protocol::Order> orders;
  auto tries = kRecallsTried;
  for (auto* worker : rich) {
    auto& waiting = worker->waiting;
    const auto wanted = std::min<std::uint64_t>({kRecalledMax, (waiting.size() + 1) / 2, places});
    for (auto at = waiting.size(); at > 0 && orders.size() < wanted && tries > 0; --tries) {
      const auto seq = waiting[--at];
      auto* task = tasks.find(seq);
      if (task == nullptr || !task->is(Task::State::kLeased) || task->run != worker->link.run)
        continue;
      if (task->recalls == kRecallsMax || !is_wanted(seq, worker)) continue;
      ++task->recalls;
      task->is_recalled = true;
      waiting.erase(waiting.begin() + static_cast<std::ptrdiff_t>(at));
      orders.push_back({protocol::OrderKind::kRecall, {origin, seq}, task->lease});
    }
    from = worker;
    if (!orders.empty() || tries == 0) return orders;
  }
  return {};
}

std::uint64_t Fleet::outstanding() const {
  std::uint64_t sum = 0;
  for (const auto& [run, worker] : workers_) sum += worker.leases.outstanding();
  return sum;
}

std::vector<WorkerView> Fleet::views(const Placement& placement) const {
  std::vector<WorkerView> views;
  for (const auto run : order_) {
    const auto& worker = *find(run);
    const auto& about = worker.about;
    const auto* state = worker.silence.is_suspect() ? "suspect"
                        : worker.beats.is_draining  ? "draining"
                                                    : "ready";
    WorkerView view{about.name,
                    run,
                    about.pid,
                    about.slots,
                    text_of(worker.has.kinds),
                    state,
                    worker.is_paused,
                    worker.leases.outstanding(),
                    worker.has.offers.labels,
                    {},
                    worker.silence.last_heard(),
                    {about.host, about.version, about.prefetch, about.restarts},
                    worker.ended};
    for (const auto& [name, all] : worker.has.offers.resources)
      view.resources.push_back({name, all, placement.free(run, worker.has.offers, name)});
    for (const auto& runner : worker.has.runners)
      if (!runner.problem.empty()) view.broken.push_back({runner.name, runner.problem});
    views.push_back(std::move(view));
  }
  return views;
}

std::map<std::string, protocol::KindOffer> Fleet::kinds() const {
  std::map<std::string, protocol::KindOffer> kinds;
  for (const auto run : order_) {
    const auto& has = find(run)->has;
    for (const auto& kind : has.kinds) kinds.try_emplace(kind, protocol::KindOffer{kind});
    for (const auto& runner : has.runners)
      for (const auto& kind : runner.kinds)
        if (has.kinds.contains(kind.name)) kinds[kind.name] = kind;
  }
  return kinds;
}

}  // namespace eole::ventilator
