#include "worker/handlers/http_transfer.hpp"

#include <curl/curl.h>

#include <algorithm>

#include "common/base/text.hpp"
#include "common/process/system.hpp"
#include "worker/handlers/url.hpp"

namespace eole::worker {

namespace {

constexpr long kRedirectsMax = 20;
constexpr std::size_t kHeadBytesMax = 512 << 10;    // Of an answer and its redirects together.
constexpr std::int64_t kIgnoredBytesMax = 4 << 20;  // Of the body of a redirect.
constexpr std::size_t kWrittenAtOnce = 256 << 10;

bool is_passing(CURLcode code) {
  switch (code) {
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
    case CURLE_SSH:
    case CURLE_FAILED_INIT:  // Of an sftp session.
      return true;
    default:
      return false;
  }
}

bool is_passing_status(long status) { return status >= 500 || status == 429 || status == 408; }

// For libcurl, where zero is no limit.
long left_ms(const std::optional<TimePoint>& until) {
  if (!until) return 0;
  return static_cast<long>(std::clamp<std::int64_t>((*until - process::now()) / 1ms, 1, 1e9));
}

}  // namespace

Transfer::Transfer(Web& web, const Waker& waker, const std::string& url, PartFile& part,
                   const TransferLimits& limits, const Stretch& stretch, PartFile::Gap gap,
                   bool is_alone)
    : part_(part),
      limits_(limits),
      stretch_(stretch),
      is_http_(scheme_of(url) != "ftp" && scheme_of(url) != "sftp"),
      is_head_(gap.to == 0),
      asked_from_(stretch.from + gap.from),
      gap_to_(gap.to),
      is_alone_(is_alone),
      version_(stretch.is_all() ? part.version() : stretch.whole),
      at_(gap.from),
      problem_(CURL_ERROR_SIZE, '\0'),
      rate_(static_cast<std::uint64_t>(limits.rate)),
      request_(web, waker, [this] { return write(); }) {
  set_options(url, gap);
  request_.start();
}

Transfer::~Transfer() { ::curl_slist_free_all(static_cast<curl_slist*>(headers_)); }

bool Transfer::stop(std::string reason, bool for_good) {
  broken_ = std::move(reason);
  is_for_good_ = for_good;
  return false;
}

std::string Transfer::too_large() const {
  return text("larger than size_max, ", limits_.bytes, " bytes");
}

long Transfer::status() const {
  long status = 0;
  ::curl_easy_getinfo(request_.curl(), CURLINFO_RESPONSE_CODE, &status);
  return status;
}

// What the body is, if it is the file at all.
bool Transfer::judge() {
  if (!is_http_) return judge_file();
  const auto said = status();
  if (said != answer_.status() || (said != 200 && said != 206)) return stop(text("HTTP ", said));
  const auto asked_from = has_range() ? std::optional(asked_from_) : std::nullopt;
  judged_ = Judgement::of(answer_, asked_from, version_);
  auto& judged = *judged_;
  if (judged.refusal.empty() && judged.from != asked_from_ && !is_alone_)
    judged.refusal = text("HTTP ", said, " with all of the file, asked was from ", asked_from_);
  if (!stretch_.is_all() && judged.refusal.empty()) judge_stretch();
  if (!judged.refusal.empty()) return stop(judged.refusal, !stretch_.is_all());
  return is_head_ || begin();
}

bool Transfer::begin() {
  const auto& judged = *judged_;
  if (judged.version.total.value_or(0) > limits_.bytes) return stop(too_large(), true);
  at_ = judged.from;
  if (!part_.begin(judged.version, judged.from)) return stop(part_.problem(), true);
  has_begun_ = true;
  return true;
}

// Of ftp and sftp: nothing tells a version, so that each try begins anew; its length may be known.
bool Transfer::judge_file() {
  if (has_range()) return stop("is sent whole or not at all: ftp and sftp tell no version", true);
  curl_off_t length = -1;
  ::curl_easy_getinfo(request_.curl(), CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
  judged_.emplace();
  if (length >= 0) judged_->version.total = static_cast<std::uint64_t>(length);
  judged_->end = judged_->version.total;
  judged_->is_framed = length >= 0;
  return begin();
}

// From here on its bytes count from the stretch's begin. All of the file is of no use: another
// version, or a server that sends no parts.
void Transfer::judge_stretch() {
  auto& judged = *judged_;
  if (judged.from != asked_from_ || judged.end.value_or(UINT64_MAX) > stretch_.to) {
    judged.refusal =
        text("HTTP ", answer_.status(), " with more than the stretch from ", asked_from_, " to ",
             stretch_.to, ": the file is another one now, or is not sent in parts");
    return;
  }
  judged.from -= stretch_.from;
  *judged.end -= stretch_.from;
  judged.version.total = stretch_.to - stretch_.from;
}

// libcurl 7.88 has a limit of its own, and lets many times as much pass.
bool Transfer::has_to_wait() const {
  return rate_.is_ahead(process::now()) || request_.is_ahead_of_rates();
}

bool Transfer::take(std::string_view bytes) {
  if (!judged_ && !judge()) return false;
  const auto end = at_ + came_.size() + bytes.size();
  if (end > judged_->end.value_or(UINT64_MAX)) return stop("more bytes than the answer said");
  if (end > limits_.bytes) return stop(too_large(), true);
  rate_.add(bytes.size(), process::now());
  request_.count(bytes.size());
  came_ += bytes;
  if (came_.size() >= kWrittenAtOnce) return write();
  request_.at_turn_end();
  return true;
}

// libcurl hands over 16 KiB at a time. Written together they take a third of the time: the page
// cache has them in larger pages.
bool Transfer::write() {
  const auto taken = part_.append(at_, came_);
  const bool is_all = taken == came_.size();
  came_.clear();
  at_ += taken;
  if (is_all) return true;
  if (auto problem = part_.problem(); !problem.empty()) return stop(std::move(problem), true);
  is_filled_ = true;
  return false;
}

std::size_t Transfer::on_header(std::string_view line) {
  head_bytes_ += line.size();
  if (head_bytes_ > kHeadBytesMax) return stop(text("a head of over ", kHeadBytesMax, " bytes")), 0;
  if (!is_http_) return line.size();
  answer_.add(line);
  // The head is complete. A redirect's body does not matter, nor what comes in trailers.
  const bool is_end = line == "\r\n" || line == "\n";
  const auto said = answer_.status();
  return is_end && !judged_ && said >= 200 && said / 100 != 3 && !judge() ? 0 : line.size();
}

bool Transfer::is_ignoring_too_much(std::int64_t received) {
  if (has_begun_ || received <= kIgnoredBytesMax) return false;
  stop(text("a redirect with a body of over ", kIgnoredBytesMax, " bytes"));
  return true;
}

void Transfer::set_options(const std::string& url, PartFile::Gap gap) {
  auto* curl = request_.curl();
  const auto set = [&](CURLoption option, auto value) { ::curl_easy_setopt(curl, option, value); };
  if (auto problem = request_.set_url(url); !problem) stop(problem.error().message, true);
  set(CURLOPT_FOLLOWLOCATION, 1L);
  set(CURLOPT_MAXREDIRS, kRedirectsMax);
  set(CURLOPT_COOKIEFILE, "");  // Kept in memory, while redirects are followed.
  set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  set(CURLOPT_LOW_SPEED_LIMIT, static_cast<long>(limits_.low_speed_bytes));
  set(CURLOPT_LOW_SPEED_TIME, static_cast<long>(limits_.low_speed_seconds));
  set(CURLOPT_TIMEOUT_MS, left_ms(limits_.until));
  // No more at a time than in a moment of its rate.
  if (limits_.rate > 0)
    set(CURLOPT_BUFFERSIZE,
        static_cast<long>(std::clamp<std::int64_t>(limits_.rate / 8, 1024, 512 << 10)));
  set(CURLOPT_ERRORBUFFER, problem_.data());
  const auto on_head = +[](char* bytes, std::size_t size, std::size_t count, void* user) {
    return static_cast<Transfer*>(user)->on_header({bytes, size * count});
  };
  set(CURLOPT_HEADERFUNCTION, on_head);
  set(CURLOPT_HEADERDATA, this);
  const auto on_body = +[](char* bytes, std::size_t size, std::size_t count, void* user) {
    auto& transfer = *static_cast<Transfer*>(user);
    if (transfer.has_to_wait()) {
      transfer.request_.pause();
      return std::size_t{CURL_WRITEFUNC_PAUSE};
    }
    return transfer.take({bytes, size * count}) ? size * count : 0;
  };
  set(CURLOPT_WRITEFUNCTION, on_body);
  set(CURLOPT_WRITEDATA, this);
  const auto on_progress =
      +[](void* user, curl_off_t, curl_off_t received, curl_off_t, curl_off_t) {
        return static_cast<Transfer*>(user)->is_ignoring_too_much(received) ? 1 : 0;
      };
  set(CURLOPT_XFERINFOFUNCTION, on_progress);
  set(CURLOPT_XFERINFODATA, this);
  set(CURLOPT_NOPROGRESS, 0L);
  // The bytes as they lie there: ranges count those.
  auto* headers = ::curl_slist_append(nullptr, "Accept-Encoding: identity");
  for (const auto& line : request_.headers()) headers = ::curl_slist_append(headers, line.c_str());
  if (is_head_) set(CURLOPT_NOBODY, 1L);
  if (has_range() && !is_head_) {
    // Only if it is still the same version; otherwise the server sends all of it. libcurl's own
    // way to resume believes any answer whose Content-Range begins right, so it is not used.
    headers = ::curl_slist_append(headers, ("If-Range: " + version_.validator).c_str());
    const auto to = stretch_.from + std::min(gap.to, stretch_.to - stretch_.from);
    const bool is_to_the_end = to >= version_.total.value_or(0);
    const auto last = is_to_the_end ? std::string() : text(to - 1);
    set(CURLOPT_RANGE, text(asked_from_, '-', last).c_str());
  }
  // Beside another one: over a connection of its own, whose speed is its own.
  if (!is_alone_) set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(CURLOPT_HTTPHEADER, headers);
  headers_ = headers;
}

// libcurl has no complaint: is every byte here?
void Transfer::conclude(TransferEnd& end) {
  if (!judged_ && !judge()) return;
  end.is_whole = is_head_;
  if (is_head_) return;
  const auto gaps = part_.gaps();
  const auto missing =
      std::find_if(gaps.begin(), gaps.end(), [&](const auto& gap) { return gap.from == at_; });
  // What begins where its gap ends is another's, who may have been refused.
  end.is_whole = !judged_->end || missing == gaps.end() || at_ == gap_to_;
  if (!end.is_whole) end.reason = text("ended after ", at_.load(), " of ", missing->to, " bytes");
  end.is_worth_again = true;
  end.is_endless = end.is_whole && !judged_->is_framed;
}

TransferEnd Transfer::end() {
  const auto code = static_cast<CURLcode>(request_.code());
  TransferEnd end;
  const auto said = status();
  if (is_http_) end.status = said;
  if (code == CURLE_OK) {
    conclude(end);
  } else {
    end.reason = problem_[0] != '\0' ? problem_.c_str() : ::curl_easy_strerror(code);
    end.is_worth_again = is_passing(code);
  }
  if (is_filled_) end.is_whole = true;
  if (!broken_.empty()) {
    end.reason = broken_;
    end.is_worth_again = !is_for_good_;
  } else if (code != CURLE_OK && !request_.refused().empty()) {
    end.reason = text("the address ", request_.refused(),
                      " is not public; a worker fetches from it only with --allow-net");
    end.is_worth_again = false;
  }
  if (!is_http_ && code == CURLE_PEER_FAILED_VERIFICATION)
    end.reason = "the server's key is not one that known_hosts of the worker's user has for it";
  const bool is_file = said == 200 || said == 206;
  if (!is_http_ && said / 100 == 4) end.is_worth_again = true;  // What ftp says of what passes.
  if (is_http_ && !is_file && said >= 300 && (code == CURLE_OK || !broken_.empty()))
    end.is_worth_again = is_passing_status(said);
  end.is_refused = (judged_ && !judged_->refusal.empty()) || end.status == 416;
  if (has_begun_) end.began_at = judged_->from;
  if (said == 429 || said == 503) end.retry_after = answer_.retry_after(process::unix_ms() / 1000);
  end.reason = tellable(end.reason);
  return end;
}

}  // namespace eole::worker
