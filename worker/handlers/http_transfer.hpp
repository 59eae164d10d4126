#pragma once
#include <atomic>
#include <cstdint>
#include <optional>
#include <string>

#include "common/base/time.hpp"
#include "worker/handlers/part_file.hpp"
#include "worker/handlers/web.hpp"

namespace eole::worker {

/// What of a source's file is to be fetched: a part's bytes count from its begin.
struct Stretch {
  std::uint64_t from = 0;
  std::uint64_t to = UINT64_MAX;  // Its end; if it is not all of the file.
  Version whole{};                // The version of the whole, then.
  bool is_all() const { return to == UINT64_MAX; }
  bool operator==(const Stretch&) const = default;
};

struct TransferLimits {
  std::uint64_t bytes = 0;  // Of the whole file.
  std::int64_t low_speed_bytes = 0;
  std::int64_t low_speed_seconds = 0;
  std::int64_t rate = 0;             // Bytes a second; zero: as fast as it goes.
  std::optional<TimePoint> until{};  // Of a request and its redirects; nothing: none.
};

/// How one request for a gap of a file ended.
struct TransferEnd {
  bool is_whole = false;        // The gap is filled.
  bool is_refused = false;      // An answer of 200 or 206 that cannot be taken, or a 416.
  bool is_worth_again = false;  // The same request may succeed later.
  bool is_endless = false;      // Whole, if the connection did not break off: nothing tells.
  std::optional<std::uint64_t> began_at{};    // Where its first byte belongs, if one came.
  std::optional<std::int64_t> retry_after{};  // Seconds that the server asks to wait.
  long status = 0;                            // Of the last answer; zero: there was none.
  std::string reason{};                       // Why it is not whole, for a person.
};

/// One request for a gap of a file, under way from its begin on. What comes is added to the part:
/// bytes of its version, in their place, and nothing else.
class Transfer {
 public:
  /// `gap`: from zero on it is asked for without a range, and any version is taken; else the rest
  /// of the part's own, or of the stretch's. A gap that ends at zero: only the head is asked for.
  /// `is_alone`: no other fills the part; an answer that is another version, or all of it, may take
  /// its place.
  Transfer(Web& web, const Waker& waker, const std::string& url, PartFile& part,
           const TransferLimits& limits, const Stretch& stretch, PartFile::Gap gap, bool is_alone);
  ~Transfer();
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  bool is_over() const { return request_.is_over(); }
  /// Once it is over.
  TransferEnd end();
  /// Where its next byte belongs.
  std::uint64_t at() const { return at_; }
  bool has_begun() const { return has_begun_; }
  /// Once it is over and whole: the version that its head told.
  const Version& version() const { return judged_->version; }
  /// Once it has begun.
  bool takes_ranges() const { return judged_->takes_ranges; }

 private:
  void set_options(const std::string& url, PartFile::Gap gap);
  bool has_range() const { return asked_from_ > 0 || !stretch_.is_all(); }
  bool judge();
  bool begin();
  bool judge_file();
  void judge_stretch();
  bool take(std::string_view bytes);
  bool write();
  bool has_to_wait() const;
  std::size_t on_header(std::string_view line);
  bool is_ignoring_too_much(std::int64_t received);
  void conclude(TransferEnd& end);
  bool stop(std::string reason, bool for_good = false);
  long status() const;
  std::string too_large() const;

  PartFile& part_;
  TransferLimits limits_;
  Stretch stretch_;
  bool is_http_;
  bool is_head_;              // Only that is asked for.
  std::uint64_t asked_from_;  // Of the file.
  std::uint64_t gap_to_;      // Of the part.
  bool is_alone_;
  Version version_;   // That the rest is asked of.
  std::string came_;  // In this turn of the loop, and is not written yet.
  Answer answer_{};
  std::size_t head_bytes_ = 0;
  std::optional<Judgement> judged_{};  // Once its head is complete.
  std::string broken_{};               // Why we ended it.
  bool is_for_good_ = false;           // … and will end it again.
  bool is_filled_ = false;             // … since the gap's end is reached.
  std::atomic<std::uint64_t> at_;
  std::atomic<bool> has_begun_{false};
  std::string problem_;
  Rate rate_;
  void* headers_ = nullptr;
  Web::Request request_;  // Last: goes first, and its callbacks with it.
};

}  // namespace eole::worker
