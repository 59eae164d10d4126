#include "worker/handlers/fetching.hpp"

#include <algorithm>
#include <memory>
#include <vector>

#include "common/process/system.hpp"

namespace eole::worker {

namespace {

constexpr int kStepMs = 20;
constexpr Duration kMeasure = 50ms;
constexpr Duration kMeasureAgain = 1s;
constexpr std::size_t kRangeConnectionsMax = 16;
constexpr std::uint64_t kRangeBytesMin = 512 << 10;  // Less is not worth a request.
constexpr double kFastEnough = 200e6;                // A second, of one connection.
constexpr int kHttpTooMany = 429;
constexpr int kHttpBusy = 503;
constexpr Duration kRefusedPause = 500ms;  // For a server to see that we have hung up.
constexpr int kRefusalsMax = 4;            // One behind the other.
constexpr double kBusy = 0.2;  // The loop rested for less of the time: this machine is the limit.
constexpr double kWorthIt = 1.5;  // More connections must be so much faster.

/// The requests for one file.
class Fetching {
 public:
  Fetching(const FetchOptions& options, PartFile& part, TaskContext& context)
      : options_(options),
        part_(part),
        context_(context),
        is_settled_(!options.may_divide || options.limits.rate > 0 || context.web().has_rates()) {}
  FetchEnd run(const std::function<void()>& on_step);

 private:
  void start(PartFile::Gap gap, bool is_alone);
  bool start_lead();
  bool take_ended();
  bool is_passing_refusal(const TransferEnd& end);
  void measure();
  void measure_from_here();
  void start_more();
  std::optional<PartFile::Gap> next_gap();

  const FetchOptions& options_;
  PartFile& part_;
  TaskContext& context_;
  Waker waker_;
  std::size_t wanted_ = 1;  // Connections.
  bool is_settled_;         // … and no more of them are tried.
  std::vector<std::unique_ptr<Transfer>> running_;
  const Transfer* lead_ = nullptr;  // If it fails, so does all of it.
  std::size_t started_ = 0;
  int refusals_ = 0;          // Of the lead, one behind the other,
  TimePoint ask_again_at_{};  // after which nothing is asked until then.
  FetchEnd end_;
  Duration measure_for_ = kMeasure;
  TimePoint grown_at_{};  // There were fewer connections before,
  TimePoint begun_at_{};  // and now all have begun.
  std::uint64_t grown_bytes_ = 0;
  Duration grown_rest_{};
  double best_speed_ = 0;
};

void Fetching::start(PartFile::Gap gap, bool is_alone) {
  running_.push_back(std::make_unique<Transfer>(context_.web(), waker_, options_.url, part_,
                                                options_.limits, options_.stretch, gap, is_alone));
  ++started_;
}

// False: nothing is missing.
bool Fetching::start_lead() {
  const auto gaps = part_.gaps();
  const bool is_first = started_ == 0;
  if (gaps.empty() && !is_first) return false;
  PartFile::Gap gap{0, UINT64_MAX};
  if (is_first) gap.from = part_.resume_at();
  if (!gaps.empty() && (gap.from == gaps.front().from || !is_first)) gap = gaps.front();
  start(gap, true);
  lead_ = running_.back().get();
  return true;
}

// Those that are over; false once it makes no sense to go on.
bool Fetching::take_ended() {
  for (auto one = running_.begin(); one != running_.end();) {
    if (!(*one)->is_over()) {
      ++one;
      continue;
    }
    const auto end = (*one)->end();
    const bool is_lead = one->get() == lead_;
    one = running_.erase(one);
    if (is_lead && is_passing_refusal(end)) {
      lead_ = nullptr;
    } else if (is_lead) {
      const auto began_at = end_.began_at;
      static_cast<TransferEnd&>(end_) = end;
      if (began_at) end_.began_at = began_at;
      lead_ = nullptr;
      if (!end.is_whole) return false;
    } else if (!end.is_whole) {  // As many as it bears.
      wanted_ = std::max<std::size_t>(1, running_.size());
      is_settled_ = true;
    }
  }
  return true;
}

// A server that bears few connections counts those that have just ended a little longer.
bool Fetching::is_passing_refusal(const TransferEnd& end) {
  const bool is_refusal = end.status == kHttpTooMany || end.status == kHttpBusy;
  if (!is_refusal) refusals_ = 0;
  if (!is_refusal || started_ == 1 || ++refusals_ > kRefusalsMax) return false;
  ask_again_at_ = process::now() + kRefusedPause;
  return true;
}

// Whether more connections made it faster, and so even more may. Of several the speed alone says
// nothing: a server that holds each to a rate lets much of each pass at once.
void Fetching::measure() {
  if (is_settled_ || running_.size() < wanted_) return;
  const bool have_begun = std::all_of(running_.begin(), running_.end(),
                                      [](const auto& each) { return each->has_begun(); });
  if (!have_begun || (started_ == 1 && !running_.front()->takes_ranges())) return;
  const auto now = process::now();
  if (begun_at_ == TimePoint{}) begun_at_ = now;
  if (now < begun_at_ + std::max(measure_for_, begun_at_ - grown_at_)) return;
  const auto from = started_ == 1 ? begun_at_ : grown_at_;
  const auto have = part_.have();
  const auto seconds = std::chrono::duration<double>(now - from).count();
  const auto speed = static_cast<double>(have - std::min(have, grown_bytes_)) / seconds;
  const std::chrono::duration<double> rest = context_.web().rested() - grown_rest_;
  const bool is_fast = started_ == 1 && speed >= kFastEnough;
  const bool is_faster = speed >= kWorthIt * best_speed_;
  const bool is_first = measure_for_ == kMeasure;
  if (!is_fast && is_faster && rest.count() >= kBusy * seconds) {
    const bool is_most = wanted_ == kRangeConnectionsMax;
    wanted_ = std::min(kRangeConnectionsMax, wanted_ * 4);
    is_settled_ = is_most || (is_first && wanted_ == kRangeConnectionsMax);
    best_speed_ = speed;
  } else if (!is_fast && is_first) {
    // A moment, on a machine that has much else to do: once more from here, for longer.
    measure_for_ = kMeasureAgain;
    best_speed_ = 0;
  } else {
    is_settled_ = true;
    if (!is_faster)
      wanted_ = std::max<std::size_t>(1, wanted_ / 4);  // Those that end are not replaced.
  }
  measure_from_here();
}

// What comes is counted from here: servers that hold a rate let much pass at the begin of each
// connection, and then nothing for a second.
void Fetching::measure_from_here() {
  grown_at_ = process::now();
  begun_at_ = {};
  grown_bytes_ = part_.have();
  grown_rest_ = context_.web().rested();
}

// One that nobody fills, else the second part of the largest.
std::optional<PartFile::Gap> Fetching::next_gap() {
  const auto gaps = part_.gaps();
  std::optional<PartFile::Gap> largest;
  for (const auto& gap : gaps) {
    const auto is_here = [&](const auto& each) {
      const auto at = each->at();  // A little behind what it has written.
      return gap.after <= at && at < gap.to;
    };
    if (std::none_of(running_.begin(), running_.end(), is_here)) return gap;
    if (!largest || gap.to - gap.from > largest->to - largest->from) largest = gap;
  }
  if (!largest || largest->to == UINT64_MAX) return std::nullopt;
  const auto middle = largest->middle();
  if (middle - largest->from < kRangeBytesMin || !part_.divide(middle)) return std::nullopt;
  return PartFile::Gap{middle, largest->to};
}

void Fetching::start_more() {
  while (running_.size() < wanted_ && process::now() >= ask_again_at_ &&
         !part_.version().validator.empty()) {
    const auto gap = next_gap();
    if (!gap || gap->from == 0) return;
    start(*gap, false);
  }
}

FetchEnd Fetching::run(const std::function<void()>& on_step) {
  start_lead();
  measure_from_here();
  while (true) {
    waker_.wait(context_.cancel_fd(), kStepMs);
    if (context_.is_cancelled()) {
      end_.reason = "cancelled";
      end_.is_whole = false;
      return end_;
    }
    context_.progress(part_.have(), part_.version().total.value_or(0));
    on_step();
    if (!take_ended()) break;
    if (running_.empty() && process::now() < ask_again_at_) continue;
    if (running_.empty() && (end_.is_endless || !part_.version().total || !start_lead())) break;
    measure();
    start_more();
  }
  running_.clear();
  end_.is_one_answer = started_ == 1 && end_.began_at == 0;
  return end_;
}

}  // namespace

FetchEnd fetch_head(const FetchOptions& options, TaskContext& context, Version& version) {
  PartFile none([] { return PartFile::Place{}; }, false);
  Waker waker;
  Transfer head(context.web(), waker, options.url, none, options.limits, {}, {0, 0}, true);
  while (!head.is_over() && !context.is_cancelled()) waker.wait(context.cancel_fd(), kStepMs);
  FetchEnd end;
  if (!head.is_over()) {
    end.reason = "cancelled";
    return end;
  }
  static_cast<TransferEnd&>(end) = head.end();
  if (end.is_whole) version = head.version();
  return end;
}

FetchEnd fetch(const FetchOptions& options, PartFile& part, TaskContext& context,
               const std::function<void()>& on_step) {
  return Fetching(options, part, context).run(on_step);
}

}  // namespace eole::worker
