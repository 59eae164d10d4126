#include "worker/handlers/http_transfer.hpp"

#include <curl/curl.h>
#include <locale.h>

#include <memory>
#include <mutex>

#include "common/base/text.hpp"
#include "common/process/system.hpp"
#include "worker/handlers/url.hpp"

namespace eole::worker {

namespace {

constexpr long kRedirectsMax = 20;
constexpr long kConnectSeconds = 15;
constexpr std::size_t kHeadBytesMax = 512 << 10;  // Of an answer and its redirects together.
constexpr curl_off_t kIgnoredBytesMax = 4 << 20;  // Of the body of a redirect.

/// One request on its way.
struct Transfer {
  PartFile& part;
  const TransferLimits& limits;
  TaskContext& context;
  std::uint64_t asked_from = 0;
  CURL* curl = nullptr;
  Answer answer{};
  std::size_t head_bytes = 0;
  std::optional<Judgement> judged{};  // Once its head is complete.
  std::string broken{};               // Why we ended it.
  bool is_for_good = false;           // … and will end it again.

  bool end(std::string reason, bool for_good = false) {
    broken = std::move(reason);
    is_for_good = for_good;
    return false;
  }
  std::string too_large() const { return text("larger than size_max, ", limits.bytes, " bytes"); }
  bool has_begun() const { return judged && judged->refusal.empty(); }
};

long status_of(const Transfer& transfer) {
  long status = 0;
  ::curl_easy_getinfo(transfer.curl, CURLINFO_RESPONSE_CODE, &status);
  return status;
}

// What the body is, if it is the file at all.
bool judge(Transfer& transfer) {
  const auto status = status_of(transfer);
  if (status != transfer.answer.status() || (status != 200 && status != 206))
    return transfer.end(text("HTTP ", status));
  transfer.judged = Judgement::of(transfer.answer, transfer.asked_from, transfer.part.version());
  const auto& judged = *transfer.judged;
  if (!judged.refusal.empty()) return transfer.end(judged.refusal);
  if (judged.version.total.value_or(0) > transfer.limits.bytes)
    return transfer.end(transfer.too_large(), true);
  return transfer.part.begin(judged.version, judged.from) ||
         transfer.end(transfer.part.problem(), true);
}

bool take(Transfer& transfer, std::string_view bytes) {
  if (!transfer.judged && !judge(transfer)) return false;
  auto& part = transfer.part;
  const auto end = part.have() + bytes.size();
  if (end > transfer.judged->end.value_or(UINT64_MAX))
    return transfer.end("more bytes than the answer said");
  if (end > transfer.limits.bytes) return transfer.end(transfer.too_large(), true);
  return part.append(bytes) || transfer.end(part.problem(), true);
}

std::size_t on_header(char* bytes, std::size_t size, std::size_t count, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  transfer.head_bytes += size * count;
  if (transfer.head_bytes > kHeadBytesMax)
    return transfer.end(text("a head of over ", kHeadBytesMax, " bytes")), 0;
  const std::string_view line(bytes, size * count);
  transfer.answer.add(line);
  // The head is complete. A redirect's body does not matter, nor what comes in trailers.
  const bool is_end = line == "\r\n" || line == "\n";
  const auto status = transfer.answer.status();
  if (is_end && !transfer.judged && status >= 200 && status / 100 != 3 && !judge(transfer))
    return 0;
  return line.size();
}

std::size_t on_body(char* bytes, std::size_t size, std::size_t count, void* user) {
  return take(*static_cast<Transfer*>(user), {bytes, size * count}) ? size * count : 0;
}

int on_progress(void* user, curl_off_t, curl_off_t received, curl_off_t, curl_off_t) {
  auto& transfer = *static_cast<Transfer*>(user);
  if (transfer.context.is_cancelled()) return 1;
  if (transfer.has_begun()) {
    transfer.context.progress(transfer.part.have(), transfer.judged->version.total.value_or(0));
  } else if (received > kIgnoredBytesMax) {
    transfer.end(text("a redirect with a body of over ", kIgnoredBytesMax, " bytes"));
    return 1;
  }
  return 0;
}

void start_curl() {
  static std::once_flag once;
  std::call_once(once, [] { ::curl_global_init(CURL_GLOBAL_DEFAULT); });
}

/// International host names are read in the thread's locale: URLs are UTF-8, whatever it was.
class Utf8Locale {
 public:
  Utf8Locale() : utf8_(::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)) {
    if (utf8_ != nullptr) before_ = ::uselocale(utf8_);
  }
  ~Utf8Locale() {
    if (utf8_ == nullptr) return;
    ::uselocale(before_);
    ::freelocale(utf8_);
  }
  Utf8Locale(const Utf8Locale&) = delete;
  Utf8Locale& operator=(const Utf8Locale&) = delete;

 private:
  locale_t utf8_;
  locale_t before_ = nullptr;
};

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
      return true;
    default:
      return false;
  }
}

bool is_passing_status(long status) { return status >= 500 || status == 429 || status == 408; }

// libcurl has no complaint: is every byte here?
void conclude(Transfer& transfer, TransferEnd& end) {
  if (!transfer.judged && !judge(transfer)) return;
  const auto& judged = *transfer.judged;
  const auto have = transfer.part.have();
  const auto total = judged.end ? judged.version.total : std::optional(have);
  end.is_whole = total == have;
  end.reason = end.is_whole ? "" : text("ended after ", have, " of ", total.value_or(0), " bytes");
  end.is_worth_again = true;
  end.is_endless = end.is_whole && !judged.is_framed;
}

void set_options(CURL* curl, const std::string& url, Transfer& transfer) {
  const auto set = [&](CURLoption option, auto value) { ::curl_easy_setopt(curl, option, value); };
  set(CURLOPT_URL, url.c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  set(CURLOPT_FOLLOWLOCATION, 1L);
  set(CURLOPT_MAXREDIRS, kRedirectsMax);
  set(CURLOPT_COOKIEFILE, "");  // Kept in memory, while redirects are followed.
  set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
  set(CURLOPT_LOW_SPEED_LIMIT, transfer.limits.low_speed_bytes);
  set(CURLOPT_LOW_SPEED_TIME, transfer.limits.low_speed_seconds);
  set(CURLOPT_TIMEOUT_MS, transfer.limits.timeout_ms);
  set(CURLOPT_USERAGENT, "eole");
  set(CURLOPT_BUFFERSIZE, 256L << 10);
  set(CURLOPT_HEADERFUNCTION, on_header);
  set(CURLOPT_HEADERDATA, &transfer);
  set(CURLOPT_WRITEFUNCTION, on_body);
  set(CURLOPT_WRITEDATA, &transfer);
  set(CURLOPT_XFERINFOFUNCTION, on_progress);
  set(CURLOPT_XFERINFODATA, &transfer);
  set(CURLOPT_NOPROGRESS, 0L);
}

}  // namespace

TransferEnd transfer(const std::string& url, PartFile& part, const TransferLimits& limits,
                     TaskContext& context) {
  start_curl();
  const Utf8Locale locale;
  const std::unique_ptr<CURL, void (*)(CURL*)> curl(::curl_easy_init(), ::curl_easy_cleanup);
  if (!curl) return {.reason = "no memory"};
  Transfer transfer{part, limits, context, part.resume_at(), curl.get()};
  set_options(curl.get(), url, transfer);
  char problem[CURL_ERROR_SIZE] = {};
  ::curl_easy_setopt(curl.get(), CURLOPT_ERRORBUFFER, problem);
  // The bytes as they lie there: ranges count those.
  curl_slist* headers = ::curl_slist_append(nullptr, "Accept-Encoding: identity");
  if (transfer.asked_from > 0) {
    // Only if it is still the same version; otherwise the server sends all of it. libcurl's own
    // way to resume believes any answer whose Content-Range begins right, so it is not used.
    headers = ::curl_slist_append(headers, ("If-Range: " + part.version().validator).c_str());
    ::curl_easy_setopt(curl.get(), CURLOPT_RANGE, text(transfer.asked_from, '-').c_str());
  }
  ::curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, headers);
  const auto code = ::curl_easy_perform(curl.get());
  ::curl_slist_free_all(headers);

  TransferEnd end;
  const auto status = end.status = status_of(transfer);
  if (code == CURLE_OK) {
    conclude(transfer, end);
  } else {
    end.reason = *problem != '\0' ? problem : ::curl_easy_strerror(code);
    end.is_worth_again = is_passing(code);
  }
  if (!transfer.broken.empty()) {
    end.reason = transfer.broken;
    end.is_worth_again = !transfer.is_for_good;
  }
  const bool is_file = status == 200 || status == 206;
  if (!is_file && status >= 300 && (code == CURLE_OK || !transfer.broken.empty()))
    end.is_worth_again = is_passing_status(status);
  end.is_refused = (transfer.judged && !transfer.judged->refusal.empty()) || status == 416;
  if (transfer.has_begun()) end.began_at = transfer.judged->from;
  if (status == 429 || status == 503)
    end.retry_after = transfer.answer.retry_after(process::unix_ms() / 1000);
  end.reason = tellable(end.reason);
  return end;
}

}  // namespace eole::worker
