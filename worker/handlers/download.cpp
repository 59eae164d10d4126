#include <poll.h>

#include <algorithm>
#include <optional>

#include "common/base/ids.hpp"
#include "common/base/text.hpp"
#include "common/process/hash.hpp"
#include "common/process/system.hpp"
#include "common/protocol/causes.hpp"
#include "worker/handlers/http_transfer.hpp"
#include "worker/handlers/kinds.hpp"
#include "worker/handlers/url.hpp"

namespace eole::worker {

namespace {

constexpr Duration kPauseFirst = 200ms;
constexpr Duration kPauseMax = 5s;
constexpr std::int64_t kRetryAfterMax = 300;      // Seconds; a slot waits that long, and no longer.
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
  /// For libcurl, where zero is no limit.
  long left_ms() const {
    return is_set() ? static_cast<long>(std::clamp(left() * 1000, 1.0, 1e9)) : 0;
  }

 private:
  double seconds_;
  TimePoint start_;
};

/// One download: requests until the file is here, or until another makes no sense.
class Download {
 public:
  Download(const Value& args, TaskContext& context, PartFile& part)
      : context_(context),
        part_(part),
        url_(args["url"].text_or("")),
        wanted_(args["sha256"].text_or("")),
        retries_(*args["retries"].as<std::int64_t>()),
        deadline_(*args["timeout"].as<double>()),
        limits_{static_cast<std::uint64_t>(*args["size_max"].as<std::int64_t>()),
                *args["low_speed_bytes"].as<std::int64_t>(),
                *args["low_speed_seconds"].as<std::int64_t>()} {}

  /// Nothing once the file is here and checked; else why it is not.
  std::optional<std::string> run();
  const std::string& digest() const { return digest_; }
  std::uint64_t resumed_at() const { return resumed_at_; }
  double seconds() const { return deadline_.passed(); }
  /// Of a failure, for whoever decides on the next attempt.
  std::string cause() const {
    if (deadline_.is_over()) return std::string(protocol::kCauseTimeout);
    return status_ >= 400 ? text("http:", status_) : std::string();
  }
  std::int64_t retry_after_ms() const { return retry_after_ * 1000; }
  /// Whether another attempt has a use for what is here.
  bool is_part_of_use() const {
    return !is_hopeless_ && digest_.empty() && part_.problem().empty() && part_.resume_at() > 0;
  }

 private:
  std::optional<std::string> fetch();
  std::optional<std::string> check();
  std::optional<std::string> pause(const TransferEnd& last, std::int64_t number);

  TaskContext& context_;
  PartFile& part_;
  std::string url_;
  std::string wanted_;
  std::int64_t retries_;
  Deadline deadline_;
  TransferLimits limits_;
  std::string digest_;
  std::uint64_t resumed_at_ = 0;
  long status_ = 0;  // Of the last answer, and after how many seconds it wants another request.
  std::int64_t retry_after_ = 0;
  bool is_hopeless_ = false;
  bool is_sure_ = false;  // All of one answer, whose end is certain.
};

// Waits before the next try; why there is none, if so.
std::optional<std::string> Download::pause(const TransferEnd& last, std::int64_t number) {
  const auto asked = last.retry_after.value_or(0);
  if (asked > kRetryAfterMax)
    return text(last.reason, ", and asks to wait for ", asked, " s, limit ", kRetryAfterMax);
  auto wait = std::min(kPauseMax, kPauseFirst * (1 << std::min<std::int64_t>(number, 10)));
  wait = std::max<Duration>(wait, std::chrono::seconds(asked));
  if (deadline_.is_set() && std::chrono::duration<double>(wait).count() >= deadline_.left())
    return text(last.reason, "; the ", deadline_.name(), " leaves no time for another try");
  pollfd watch{context_.cancel_fd(), POLLIN, 0};
  ::poll(&watch, 1, static_cast<int>(wait / 1ms));
  return std::nullopt;
}

std::optional<std::string> Download::fetch() {
  for (std::int64_t number = 0;;) {
    if (context_.is_cancelled()) return "cancelled";
    if (deadline_.is_over()) return text(deadline_.name(), " is over");
    const auto asked_from = part_.resume_at();
    limits_.timeout_ms = deadline_.left_ms();
    const auto end = transfer(url_, part_, limits_, context_);
    status_ = end.status;
    retry_after_ = std::clamp<std::int64_t>(end.retry_after.value_or(0), 0, kRetryAfterTold);
    if (end.began_at == 0) resumed_at_ = 0;
    if (end.began_at && resumed_at_ == 0) resumed_at_ = *end.began_at;
    is_sure_ = resumed_at_ == 0 && !end.is_endless;
    if (end.is_whole && end.is_endless && wanted_.empty())
      return "the server does not say where the file ends, so that a connection that breaks off "
             "looks the same; give sha256";
    if (end.is_whole) return std::nullopt;
    if (context_.is_cancelled()) return "cancelled";
    if (deadline_.is_over()) return text(deadline_.name(), " is over: ", end.reason);
    if (end.is_refused) part_.start_over();
    if (end.is_refused && asked_from > 0) continue;  // Once for each part: it begins anew now.
    is_hopeless_ = !end.is_worth_again;
    if (is_hopeless_ || number == retries_) return end.reason;
    if (auto why = pause(end, number++)) return why;
  }
}

// Its digest, and whether it is the one that was wanted.
std::optional<std::string> Download::check() {
  process::Sha256 hash;
  for (std::uint64_t at = 0; at < part_.have();) {
    const auto bytes = part_.read(at);
    if (bytes.empty()) break;
    if (context_.is_cancelled()) return "cancelled";
    hash.add(bytes);
    at += bytes.size();
  }
  if (!part_.problem().empty()) return part_.problem();
  digest_ = hex(hash.digest());
  if (wanted_.empty() || digest_ == wanted_) return std::nullopt;
  return text("sha256 is ", digest_, ", wanted ", wanted_);
}

std::optional<std::string> Download::run() {
  if (auto why = fetch()) return why;
  auto why = check();
  if (!why || is_sure_ || context_.is_cancelled()) return why;
  // Perhaps the source lied about its version: all of it from one answer, once.
  part_.start_over();
  if (auto other = fetch()) return other;
  return check();
}

}  // namespace

Outcome run_download(const Value& args, TaskContext& context) {
  const auto url = args["url"].text_or("");
  const auto lasting = context.lasting_path();
  PartFile part(lasting ? *lasting : context.scratch_path("part"), lasting.has_value());
  Download download(args, context, part);
  auto why = part.problem().empty() ? download.run() : part.problem();
  if (!why && !part.finish()) why = part.problem();
  if (why) {
    if (!download.is_part_of_use()) part.drop();
    if (context.is_cancelled()) return Outcome::failed("cancelled");
    auto outcome = Outcome::failed(text("download ", tellable(url), ": ", *why));
    outcome.cause = download.cause();
    outcome.retry_after_ms = download.retry_after_ms();
    return outcome;
  }
  Value value = Value::Map{{"url", without_passwords(url)},
                           {"bytes", part.have()},
                           {"sha256", download.digest()},
                           {"seconds", download.seconds()},
                           {"resumed_at", download.resumed_at()}};
  if (!part.version().encoding.empty())
    value.set("content_encoding", tellable(part.version().encoding));
  auto name = safe_name(args["name"].text_or(""));
  if (!name && !part.version().name.empty()) name = part.version().name;
  auto outcome = Outcome::done(std::move(value));
  outcome.files.push_back({part.path(), name.value_or(name_in_url(url))});
  return outcome;
}

}  // namespace eole::worker
