#include "cli/run/jobs.hpp"

#include "cli/lookup.hpp"
#include "cli/signing.hpp"
#include "common/base/counted.hpp"
#include "common/base/text.hpp"
#include "common/base/utf8.hpp"
#include "common/kinds/exec.hpp"
#include "common/kinds/kinds.hpp"
#include "common/process/output.hpp"
#include "common/protocol/result_view.hpp"

namespace eole::cli {

namespace {

constexpr std::size_t kFedAtOnce = 4096;  // Then what came is looked at.
constexpr Duration kLookEvery = 200ms;    // At signals, and whether anybody reads.

Value text_or_bytes(std::string text) {
  if (is_utf8(text)) return text;
  return protocol::Blob{std::move(text)};
}

}  // namespace

std::string line_of(const RunOptions& options, const JobInputs& inputs) {
  return options.command ? options.command->line(inputs) : joined(inputs);
}

Expected<Value> args_of(const RunOptions& options, const JobInputs& inputs) {
  const auto command = options.command ? *options.command : Template::of_line(joined(inputs));
  Value args = Value::Map{};
  if (auto argv = command.argv(inputs)) {
    Value::Array words;
    for (auto& word : *argv) words.push_back(text_or_bytes(std::move(word)));
    args.set("argv", std::move(words));
  } else {
    args.set("shell", text_or_bytes(line_of(options, inputs)));
  }
  if (!options.cwd.empty()) args.set("cwd", options.cwd);
  if (!options.files.is_null()) args.set("files", options.files);
  if (!options.env.empty()) args.set("env", options.env);
  if (options.timeout > 0) args.set("timeout", options.timeout);
  args.set("output_max", 1 << 30);
  if (auto fits = kinds::conform(kinds::kExec, args); !fits) return fits.error();
  sign(args, options.key);
  return args;
}

Jobs::Jobs(Cluster& cluster, RunOptions options)
    : cluster_(cluster),
      options_(std::move(options)),
      feed_(options_.sources),
      history_(options_.joblog, options_.begin),
      printer_(cluster, options_.output, options_.is_tagged),
      fabric_(cluster, options_.task_class,
              {[this](std::uint64_t number, const TaskId& id) {
                 history_.note_accepted(number, id);
                 jobs_.at(number).id = id;
               },
               [this](std::uint64_t number, const protocol::ResultRecord& result,
                      std::string_view worker) {
                 on_result(number, protocol::view_of(result, worker, protocol::kNoOffset),
                           result.is_final);
               },
               options_.has_bar ? [this](std::uint64_t number, const protocol::Progress& progress) {
                 if (number != newest_) newest_progress_ = {};
                 newest_ = number;
                 newest_progress_.hear(progress.done, progress.total, progress.text,
                                       process::now());
               } : std::function<void(std::uint64_t, const protocol::Progress&)>()}) {}

// The tasks that a killed run left: those that the cluster still knows are not submitted again.
void Jobs::adopt() {
  AcceptedJobs adopted;
  for (const auto& [first, stretch] : history_.accepted_before().stretches)
    for (std::uint64_t i = 0; i < stretch.count; ++i) {
      const TaskId id{stretch.first.origin, stretch.first.seq + i};
      if (history_.is_over(first + i) || history_.has_ended(first + i)) continue;
      auto view = need(cluster_.sink.query("result", id));
      const bool is_final = !view.is_null() && view["state"].text_or("") != "retrying";
      const bool is_kept = view["is_kept"].is_null();
      if (!is_final && need(cluster_.ventilator.query("task", id)).is_null()) {
        view = need(cluster_.sink.query("result", id));  // Settled between the questions?
        if (view.is_null()) continue;
      } else if (is_final && !is_kept) {
        continue;
      }
      adopted.add(first + i, id);
      if (!is_final) view = Value::Map{};
      view.set("id", to_text(id));
      adopted_[first + i] = std::move(view);
    }
  history_.begin(adopted);
}

// True if more could be fed at once.
bool Jobs::feed() {
  for (std::size_t fed = 0; fed < kFedAtOnce; ++fed) {
    if (stopping_ != Halt::kNone || !fabric_.has_room() || jobs_.size() >= kUnderWayMax ||
        line_bytes_ >= kUnderWayBytesMax)
      return false;
    auto inputs = feed_.next();
    if (!inputs) return false;
    if (history_.is_over(inputs->number))
      ++counts_.skipped;
    else
      take(std::move(*inputs));
  }
  return true;
}

void Jobs::take(JobInputs inputs) {
  const auto number = inputs.number;
  auto line = line_of(options_, inputs);
  const auto args = args_of(options_, inputs);
  if (!args) {
    trouble_ = Failure{kBadUse, text("job ", number, ": ", shown(args.error().message))};
    return stop(Halt::kSoon);
  }
  ++counts_.begun;
  const auto job =
      jobs_.emplace(number, Job{std::move(inputs), std::move(line), {}, {}, false, false}).first;
  line_bytes_ += job->second.bytes();
  const auto known = adopted_.extract(number);
  if (!known) return fabric_.submit(number, args->to_msgpack());
  job->second.id = need_id(known.mapped()["id"].text_or(""));
  if (known.mapped()["state"].is_null()) return fabric_.adopt(number, job->second.id);
  on_result(number, known.mapped(), true);
}

void Jobs::on_result(std::uint64_t number, const Value& view, bool is_final) {
  const auto found = jobs_.find(number);
  if (found == jobs_.end()) return;
  auto& job = found->second;
  auto outcome = outcome_of(view);
  if (is_final && view["value"].is_null() && job.outcome) {  // Its last attempt has told the rest.
    job.outcome->state = outcome.state;
    if (job.outcome->error.empty() && outcome.state != "dead") job.outcome->error = outcome.error;
  } else {
    job.outcome = std::move(outcome);
  }
  if (is_final) on_end(found);
}

void Jobs::on_end(Numbered::iterator found) {
  auto& job = found->second;
  job.is_over = true;
  if (stopping_ != Halt::kNone && job.outcome->state == "cancelled") {
    ++counts_.cancelled;
    forget(found);
    if (options_.keeps_order) print_in_order();
    return;
  }
  ++counts_.ended;
  const bool is_done = job.outcome->is_done();
  if (!is_done) ++counts_.failed;
  if (options_.keeps_order) {
    note(job);
    held_bytes_ += job.outcome->bytes();
    if (held_bytes_ > kHeldBytesMax && found != jobs_.begin()) {
      held_bytes_ -= job.outcome->bytes();
      job.outcome->output = job.outcome->errors = {};
      job.is_dropped = true;
    }
    print_in_order();
  } else {
    bar_.clear();
    printer_.print(job.inputs, *job.outcome);
    note(job);
    forget(found);
  }
  if (const auto enough = options_.halt.on_end(is_done); enough != Halt::kNone) stop(enough);
}

void Jobs::print_in_order() {
  while (!jobs_.empty() && jobs_.begin()->second.is_over) {
    auto& job = jobs_.begin()->second;
    if (job.is_dropped)
      job.outcome = outcome_of(look_up(cluster_, job.id));
    else
      held_bytes_ -= job.outcome->bytes();
    bar_.clear();
    printer_.print(job.inputs, *job.outcome);
    forget(jobs_.begin());
  }
}

void Jobs::note(const Job& job) {
  const auto& outcome = *job.outcome;
  history_.note_end({job.inputs.number, outcome.worker, outcome.finished_unix_ms - outcome.run_ms,
                     outcome.run_ms, outcome.output.size, outcome.exit_value, outcome.signal,
                     job.line});
}

void Jobs::forget(Numbered::iterator job) {
  if (job->first == newest_) newest_ = 0;
  line_bytes_ -= job->second.bytes();
  jobs_.erase(job);
}

// As far as is known.
std::uint64_t Jobs::total() const {
  return feed_.total().value_or(counts_.begun + counts_.skipped) - counts_.skipped;
}

void Jobs::stop(Halt how) { stopping_ = std::max(stopping_, how); }

void Jobs::step() {
  if (const auto count = signals_.take(); count > 0) {
    was_told_to_stop_ = true;
    if (stopping_ == Halt::kNow && cancelled_to_ == Halt::kNow)
      throw Failure{kNotDone, text("no longer waiting: ", counted(jobs_.size(), "job"),
                                   jobs_.size() == 1 ? " winds" : " wind", " down")};
    const bool is_first = stopping_ == Halt::kNone && count == 1;
    stop(is_first ? Halt::kSoon : Halt::kNow);
    bar_.clear();
    std::fputs(is_first ? "eole: run: what has begun goes on to its end; Ctrl-C again ends it\n"
                        : "eole: run: ending what runs; Ctrl-C again leaves it behind\n",
               stderr);
  }
  if (process::is_output_unread() && !options_.output) stop(Halt::kNow);
  bool is_more = false;
  if (stopping_ == Halt::kNone) {
    is_more = feed();
    fabric_.flush();
  } else if (cancelled_to_ < stopping_) {
    for (const auto number : fabric_.drop_unsent()) forget(jobs_.find(number));
    if (options_.keeps_order) print_in_order();
    if (fabric_.is_all_accepted()) {
      fabric_.cancel(stopping_ == Halt::kSoon);
      cancelled_to_ = stopping_;
    }
  }
  const bool waits_for_input = stopping_ == Halt::kNone && !is_more && !feed_.is_over() &&
                               fabric_.has_room() && jobs_.size() < kUnderWayMax;
  if (options_.has_bar)
    bar_.show(counts_.ended, total(),
              newest_ == 0 ? "" : text("job ", newest_, ": ", newest_progress_.text()),
              counts_.failed);
  fabric_.wait(is_more ? Duration{} : kLookEvery, waits_for_input ? feed_.fd() : -1);
  flush_output();
  history_.write();
}

int Jobs::run() {
  adopt();
  try {
    while (!(fabric_.is_idle() && (stopping_ != Halt::kNone || feed_.is_over()))) step();
  } catch (...) {
    history_.write();
    throw;
  }
  return sum_up();
}

int Jobs::sum_up() {
  history_.close();
  bar_.clear();
  if (options_.has_bar) {
    bar_.show(counts_.ended, total(), "", counts_.failed);
    bar_.sum_up();
  }
  if (trouble_) throw *trouble_;
  if (stopping_ != Halt::kNone && (counts_.cancelled > 0 || !feed_.is_over()))
    std::fprintf(stderr,
                 "eole: stopped: %llu jobs have ended, %llu of them failed; %llu that were "
                 "under way were cancelled%s\n",
                 static_cast<unsigned long long>(counts_.ended),
                 static_cast<unsigned long long>(counts_.failed),
                 static_cast<unsigned long long>(counts_.cancelled),
                 options_.joblog.empty() ? "" : "; --resume goes on");
  else if (counts_.failed > 0)
    std::fprintf(stderr, "eole: %llu of %llu jobs failed\n",
                 static_cast<unsigned long long>(counts_.failed),
                 static_cast<unsigned long long>(counts_.ended));
  if (options_.halt.is_met_by_success() && !was_told_to_stop_) return kDone;
  return counts_.failed > 0 || was_told_to_stop_ ? kNotDone : kDone;
}

}  // namespace eole::cli
