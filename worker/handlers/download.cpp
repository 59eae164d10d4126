#include <poll.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "common/base/counted.hpp"
#include "common/base/ids.hpp"
#include "common/base/text.hpp"
#include "common/process/hash.hpp"
#include "common/process/system.hpp"
#include "common/protocol/causes.hpp"
#include "worker/handlers/fetching.hpp"
#include "worker/handlers/kinds.hpp"
#include "worker/handlers/url.hpp"

namespace eole::worker {

namespace {

constexpr Duration kPauseFirst = 200ms;
constexpr Duration kPauseMax = 5s;
constexpr std::int64_t kRetryAfterMax = 300;  // Seconds; a slot waits that long, and no longer.
constexpr std::uint64_t kHashedAtOnce = 64 << 20;       // Then it is looked whether to end.
constexpr std::uint64_t kDividedBytesMax = 1ULL << 50;  // Times the number of parts: 64 bits.
constexpr std::int64_t kRetryAfterTold = 86'400;  // Seconds: more are not told to the ventilator.

/// When the task's own time limit is over, all tries and pauses together.
class Deadline {
 public:
  explicit Deadline(double seconds) : seconds_(seconds), start_(process::now()) {}
  bool is_set() const { return seconds_ > 0; }
  double left() const { return seconds_ - passed(); }
  double passed() const { return std::chrono::duration<double>(process::now() - start_).count(); }
  bool is_over() const { return is_set() && left() <= 0; }
  std::string name() const {
    return text("timeout of ", static_cast<std::int64_t>(seconds_ * 1000), " ms");
  }
  std::optional<TimePoint> until() const {
    if (!is_set()) return std::nullopt;
    return start_ + std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds_));
  }

 private:
  double seconds_;
  TimePoint start_;
};

/// The digests of a part, as far as it is here: what has come is read back while more comes, so
/// that hashing and receiving take two cores.
class Digests {
 public:
  /// Those that `args` name, and the SHA-256; that is the sink's to find where the file is handed
  /// over to it.
  Digests(const Value& args, bool is_handed) : is_handed_(is_handed) {
    for (const auto& [name, algorithm] : kAlgorithms)
      if (const auto wanted = args[name].text_or(""); !wanted.empty() || name == kSha256)
        digests_.push_back({name, algorithm, lowered(wanted), nullptr, {}});
  }

  /// Goes on as far as the part is, and no further than `most`.
  void go_on(PartFile& part, TaskContext& context) {
    if (generation_ != part.generation()) begin(part, context);
    auto front = part.front();
    if (const auto path = part.path(); is_handed_ && front > 0 && !path.empty())
      context.reach(path, front, part.have());
    front = std::min(front, at_ + kHashedAtOnce);
    if (is_handed_ && digests_.size() == 1) at_ = front;
    while (at_ < front) {
      auto bytes = part.read(at_);
      if (bytes.empty()) return;
      bytes.resize(std::min<std::uint64_t>(bytes.size(), front - at_));
      for (auto& digest : digests_)
        if (digest.hash) digest.hash->add(bytes);
      at_ += bytes.size();
    }
  }
  std::uint64_t at() const { return at_; }
  /// All of it was added; why that is not so, if it is not.
  std::optional<std::string> end(PartFile& part, TaskContext& context) {
    for (auto& digest : digests_)
      if (digest.hash) digest.is = hex(digest.hash->digest());
    generation_ = 0;
    if (!is_handed_) return std::nullopt;
    const bool is_in_memory = part.path().empty();
    if (!is_in_memory && !part.finish()) return part.problem();
    auto handed =
        is_in_memory ? context.keep(part.bytes()) : context.hand_over(part.path(), part.front());
    if (!handed) return text("the file could not be kept: ", handed.error().message);
    digests_.front().is = std::move(*handed);
    return std::nullopt;
  }
  const std::string& sha256() const { return digests_.front().is; }
  /// The first that is not as it was wanted; empty: all are.
  std::string mismatch(const std::string& said_sha256) const {
    for (const auto& digest : digests_)
      if (!digest.wanted.empty() && digest.is != digest.wanted)
        return text(digest.name, " is ", digest.is, ", wanted ", digest.wanted);
    if (said_sha256.empty() || said_sha256 == sha256()) return {};
    return text("sha256 is ", sha256(), ", the server says ", said_sha256);
  }
  /// What was asked for besides the SHA-256.
  void tell(Value& value) const {
    for (const auto& digest : digests_)
      if (digest.name != kSha256) value.set(std::string(digest.name), digest.is);
  }
  bool is_one_wanted() const {
    return std::any_of(digests_.begin(), digests_.end(),
                       [](const Digest& digest) { return !digest.wanted.empty(); });
  }

 private:
  using Of = process::Hash::Of;
  static constexpr std::string_view kSha256 = "sha256";
  static constexpr std::pair<std::string_view, Of> kAlgorithms[] = {
      {kSha256, Of::kSha256}, {"md5", Of::kMd5}, {"sha1", Of::kSha1}, {"blake2b", Of::kBlake2b}};
  struct Digest {
    std::string_view name;
    Of algorithm;
    std::string wanted;
    std::unique_ptr<process::Hash> hash;
    std::string is;
  };
  static std::string lowered(std::string text) {
    for (auto& letter : text)
      if (letter >= 'A' && letter <= 'F') letter = static_cast<char>(letter - 'A' + 'a');
    return text;
  }
  void begin(const PartFile& part, TaskContext& context) {
    if (is_handed_) context.take_back(part.path());
    generation_ = part.generation();
    at_ = 0;
    for (auto& digest : digests_)
      if (!is_handed_ || digest.name != kSha256)
        digest.hash = std::make_unique<process::Hash>(digest.algorithm);
  }
  bool is_handed_;
  std::vector<Digest> digests_;   // The SHA-256 in front.
  std::uint64_t generation_ = 0;  // Of the part that they are of; zero: of none.
  std::uint64_t at_ = 0;
};

/// One download: requests until the file is here, or until another makes no sense.
class Download {
 public:
  Download(const Value& args, TaskContext& context, PartFile& part, bool is_handed)
      : context_(context),
        part_(part),
        digests_(args, is_handed),
        retries_(*args["retries"].as<std::int64_t>()),
        deadline_(*args["timeout"].as<double>()) {
    urls_.push_back(args["url"].text_or(""));
    if (const auto* mirrors = args["mirrors"].as<Value::Array>())
      for (const auto& mirror : *mirrors) urls_.push_back(mirror.text_or(""));
    part_number_ = static_cast<std::uint64_t>(args["part"].int_or(1));
    part_count_ = static_cast<std::uint64_t>(args["parts"].int_or(1));
    options_.limits = {static_cast<std::uint64_t>(*args["size_max"].as<std::int64_t>()),
                       *args["low_speed_bytes"].as<std::int64_t>(),
                       *args["low_speed_seconds"].as<std::int64_t>(),
                       *args["rate"].as<std::int64_t>(), deadline_.until()};
  }

  /// Nothing once the file is here and checked; else why it is not.
  std::optional<std::string> run();
  const Digests& digests() const { return digests_; }
  /// Where it came from, or was tried last.
  const std::string& url() const { return urls_.front(); }
  std::uint64_t resumed_at() const { return resumed_at_; }
  double seconds() const { return deadline_.passed(); }
  /// Which stretch of what it is; null: all of the file.
  Value part() const;
  /// Of a failure, for whoever decides on the next attempt.
  std::string cause() const {
    if (deadline_.is_over()) return std::string(protocol::kCauseTimeout);
    return status_ >= 400 ? text("http:", status_) : std::string();
  }
  std::int64_t retry_after_ms() const { return retry_after_ * 1000; }
  /// Whether another attempt has a use for what is here.
  bool is_part_of_use() const {
    return !is_hopeless_ && !is_checked_ && part_.problem().empty() && part_.resume_at() > 0;
  }

 private:
  std::optional<std::string> fetch_all();
  FetchEnd find_stretch();
  bool go_to_mirror(bool is_hopeless);
  std::optional<std::string> check();
  std::optional<std::string> pause(const TransferEnd& last, std::int64_t number);

  TaskContext& context_;
  PartFile& part_;
  Digests digests_;
  std::vector<std::string> urls_;  // The one that is asked in front.
  std::int64_t retries_;
  Deadline deadline_;
  FetchOptions options_;
  std::uint64_t part_number_ = 1;  // From one on; of the stretches that the file is divided into.
  std::uint64_t part_count_ = 1;
  std::uint64_t resumed_at_ = 0;
  long status_ = 0;  // Of the last answer, and after how many seconds it wants another request.
  std::int64_t retry_after_ = 0;
  bool is_hopeless_ = false;
  bool is_checked_ = false;
  bool is_sure_ = false;  // All of one answer, whose end is certain.
};

// Waits before the next try; why there is none, if so.
std::optional<std::string> Download::pause(const TransferEnd& last, std::int64_t number) {
  const auto asked = last.retry_after.value_or(0);
  if (asked > kRetryAfterMax)
    return text(last.reason, ", and asks to wait for ", asked, " s, limit ", kRetryAfterMax);
  // Full jitter: many that broke off together do not come back together.
  const Duration most = std::min(kPauseMax, kPauseFirst * (1 << std::min<std::int64_t>(number, 10)));
  const auto random = static_cast<Duration::rep>(process::random_u64() >> 1);
  const Duration wait = std::chrono::seconds(asked) + Duration(random % most.count() + 1);
  if (deadline_.is_set() && std::chrono::duration<double>(wait).count() >= deadline_.left())
    return text(last.reason, "; the ", deadline_.name(), " leaves no time for another try");
  pollfd watch{context_.cancel_fd(), POLLIN, 0};
  ::poll(&watch, 1, static_cast<int>(wait / 1ms));
  return std::nullopt;
}

// Puts another source in front, if there is one. What came from this one is of no use there: a tag
// says which version of its own a server means.
bool Download::go_to_mirror(bool is_hopeless) {
  if (urls_.size() == 1) return false;
  if (is_hopeless) {
    urls_.erase(urls_.begin());
  } else {
    std::rotate(urls_.begin(), urls_.begin() + 1, urls_.end());
  }
  part_.start_over();
  return true;
}

// Each of the tasks that share a file finds its own: all of one version cut it at the same places.
FetchEnd Download::find_stretch() {
  Version whole;
  auto end = fetch_head(options_, context_, whole);
  if (!end.is_whole) return end;
  const auto total = whole.total.value_or(0);
  if (whole.validator.empty() || total < part_count_ || total > kDividedBytesMax) {
    end.is_whole = false;
    end.reason = whole.validator.empty()
                     ? std::string("no strong validator tells that all parts are of one version")
                     : text(total, " bytes cannot be divided into ", part_count_, " parts");
    return end;
  }
  const auto cut = [&](std::uint64_t number) { return total * number / part_count_; };
  whole.sha256.clear();  // Of all of it.
  options_.stretch = {cut(part_number_ - 1), cut(part_number_), whole};
  whole.total = options_.stretch.to - options_.stretch.from;
  if (part_.version() != whole) part_.begin(whole, 0);
  return end;
}

Value Download::part() const {
  const auto& [from, to, whole] = options_.stretch;
  if (options_.stretch.is_all()) return {};
  return Value::Map{{"number", part_number_},
                    {"of", part_count_},
                    {"from", from},
                    {"total", *whole.total},
                    {"version", tellable(whole.validator)}};
}

std::optional<std::string> Download::fetch_all() {
  for (std::int64_t number = 0;;) {
    if (context_.is_cancelled()) return "cancelled";
    if (deadline_.is_over()) return text(deadline_.name(), " is over");
    const auto asked_from = part_.resume_at();
    options_.url = urls_.front();
    FetchEnd end;
    end.is_whole = true;
    if (part_count_ > 1 && options_.stretch.is_all()) end = find_stretch();
    if (end.is_whole)
      end = fetch(options_, part_, context_, [&] { digests_.go_on(part_, context_); });
    status_ = end.status;
    retry_after_ = std::clamp<std::int64_t>(end.retry_after.value_or(0), 0, kRetryAfterTold);
    if (end.began_at == 0) resumed_at_ = 0;
    if (end.began_at && resumed_at_ == 0) resumed_at_ = *end.began_at;
    is_sure_ = end.is_one_answer && !end.is_endless;
    if (end.is_whole && end.is_endless && !digests_.is_one_wanted())
      return "the server does not say where the file ends, so that a connection that breaks off "
             "looks the same; give sha256";
    if (end.is_whole) return std::nullopt;
    if (context_.is_cancelled()) return "cancelled";
    if (deadline_.is_over()) return text(deadline_.name(), " is over: ", end.reason);
    if (end.is_refused) part_.start_over();
    if (end.is_refused && asked_from > 0) continue;  // Once for each part: it begins anew now.
    if (!part_.problem().empty()) return end.reason;
    const bool is_last = number == retries_ && end.is_worth_again;
    if (!is_last && go_to_mirror(!end.is_worth_again)) {
      number += end.is_worth_again ? 1 : 0;
      continue;
    }
    is_hopeless_ = !end.is_worth_again;
    if (is_hopeless_ || is_last) return end.reason;
    if (auto why = pause(end, number++)) return why;
  }
}

// Its digests, and whether they are those that were wanted.
std::optional<std::string> Download::check() {
  while (digests_.go_on(part_, context_), digests_.at() < part_.front()) {
    if (context_.is_cancelled()) return "cancelled";
    if (!part_.problem().empty()) return part_.problem();
  }
  if (auto why = digests_.end(part_, context_)) return why;
  is_checked_ = true;
  const auto mismatch = digests_.mismatch(part_.version().sha256);
  return mismatch.empty() ? std::nullopt : std::optional(mismatch);
}

std::optional<std::string> Download::run() {
  while (true) {
    if (auto why = fetch_all()) return why;
    auto why = check();
    if (!why || context_.is_cancelled()) return why;
    // Perhaps the source lied about its version: all of it from one answer, once.
    if (!is_sure_) {
      options_.may_divide = false;
      part_.start_over();
      if (auto other = fetch_all()) return other;
      why = check();
    }
    if (!why || !go_to_mirror(true)) return why;
  }
}

}  // namespace

namespace {

// What cannot be said in the kind's table.
std::string problem_with(const Value& args) {
  const auto part = args["part"].int_or(0);
  const auto parts = args["parts"].int_or(0);
  if ((part == 0) != (parts == 0)) return "part and parts belong together";
  if (part > parts) return text("part ", part, " of ", counted(parts, "part"));
  if (parts > 1 && args["mirrors"].as<Value::Array>() != nullptr)
    return "parts of mirrors: what vouches for a version is each server's own";
  return {};
}

Outcome run(const Value& args, TaskContext& context, bool is_handed) {
  if (auto problem = problem_with(args); !problem.empty())
    return Outcome::failed(text("download: ", problem));
  const auto place = [&]() -> PartFile::Place {
    const auto lasting = context.lasting_path();
    return {lasting ? *lasting : context.scratch_path("part"), lasting.has_value()};
  };
  PartFile part(place, context.has_lasting());
  Download download(args, context, part, is_handed);
  auto why = part.problem().empty() ? download.run() : part.problem();
  if (!why && !is_handed && !part.finish()) why = part.problem();
  if (why) {
    if (!download.is_part_of_use()) part.drop();
    if (context.is_cancelled()) return Outcome::failed("cancelled");
    auto outcome = Outcome::failed(text("download ", tellable(download.url()), ": ", *why));
    outcome.cause = download.cause();
    outcome.retry_after_ms = download.retry_after_ms();
    return outcome;
  }
  Value value = Value::Map{{"url", without_passwords(download.url())},
                           {"bytes", part.have()},
                           {"sha256", download.digests().sha256()},
                           {"seconds", download.seconds()},
                           {"resumed_at", download.resumed_at()}};
  download.digests().tell(value);
  if (auto of_it = download.part(); !of_it.is_null()) value.set("part", std::move(of_it));
  const auto version = part.version();
  if (!version.encoding.empty()) value.set("content_encoding", tellable(version.encoding));
  auto name = safe_name(args["name"].text_or(""));
  if (!name && !version.name.empty()) name = version.name;
  auto outcome = Outcome::done(std::move(value));
  outcome.files.push_back({part.path(), name.value_or(name_in_url(download.url())),
                           is_handed ? download.digests().sha256() : "", part.have()});
  if (is_handed) part.drop();  // Its other name is the sink's.
  return outcome;
}

}  // namespace

Outcome run_download(const Value& args, TaskContext& context) { return run(args, context, true); }
Outcome fetch_input(const Value& args, TaskContext& context) { return run(args, context, false); }

}  // namespace eole::worker
