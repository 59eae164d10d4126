#include <curl/curl.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <fstream>
#include <memory>
#include <mutex>

#include "common/base/ids.hpp"
#include "common/base/text.hpp"
#include "common/process/sha256.hpp"
#include "worker/handlers/kinds.hpp"

namespace eole::worker {

namespace {

constexpr std::int64_t kSizeMaxDefault = 16LL << 30;
constexpr long kLowSpeedBytes = 1;
constexpr long kLowSpeedSeconds = 30;
constexpr std::int64_t kRetriesDefault = 5;
constexpr long kRedirectsMax = 5;
constexpr long kConnectSeconds = 15;

/// One file on its way: what is there already, and which version of the source it is a part of.
struct Transfer {
  Transfer(TaskContext& task, std::string to) : context(task), path(std::move(to)) {}
  TaskContext& context;
  std::string path;
  int fd = -1;
  std::uint64_t have = 0;
  std::uint64_t size_max = 0;
  std::uint64_t expected = 0;  // Zero: the server did not say.
  std::string validator;       // ETag or Last-Modified of the bytes we have.
  std::string validator_seen;
  bool asked_range = false;
  bool is_too_large = false;
  bool write_failed = false;
  CURL* curl = nullptr;

  ~Transfer() {
    if (fd >= 0) ::close(fd);
  }
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;
};

std::string validator_path(const Transfer& transfer) { return transfer.path + ".validator"; }

void remember_validator(Transfer& transfer) {
  transfer.validator = transfer.validator_seen;
  std::ofstream(validator_path(transfer), std::ios::trunc) << transfer.validator;
}

std::size_t on_header(char* bytes, std::size_t size, std::size_t count, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  const std::string_view line(bytes, size * count);
  const auto value_of = [&](std::string_view name) -> std::string {
    if (line.size() <= name.size() || ::strncasecmp(line.data(), name.data(), name.size()) != 0)
      return {};
    auto value = line.substr(name.size());
    while (!value.empty() && (value.front() == ' ')) value.remove_prefix(1);
    while (!value.empty() && (value.back() == '\r' || value.back() == '\n')) value.remove_suffix(1);
    return std::string(value);
  };
  if (line.starts_with("HTTP/")) transfer.validator_seen.clear();  // Of a redirect.
  if (auto tag = value_of("etag:"); !tag.empty() && !tag.starts_with("W/"))
    transfer.validator_seen = tag;
  if (auto date = value_of("last-modified:"); !date.empty() && transfer.validator_seen.empty())
    transfer.validator_seen = date;
  return size * count;
}

std::size_t on_body(char* bytes, std::size_t size, std::size_t count, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  const auto length = size * count;
  long status = 0;
  ::curl_easy_getinfo(transfer.curl, CURLINFO_RESPONSE_CODE, &status);
  if (status != 200 && status != 206) return length;  // An error page is not the file.
  if (transfer.expected == 0) {  // The first piece of this answer.
    if (status == 200 && transfer.have > 0) {
      // The server sends it all again: another version, or it knows no ranges.
      if (::ftruncate(transfer.fd, 0) != 0) return 0;
      transfer.have = 0;
    }
    if (transfer.validator != transfer.validator_seen) remember_validator(transfer);
    curl_off_t announced = -1;
    ::curl_easy_getinfo(transfer.curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &announced);
    transfer.expected =
        announced > 0 ? transfer.have + static_cast<std::uint64_t>(announced) : UINT64_MAX;
  }
  const bool is_known = transfer.expected != UINT64_MAX;
  transfer.is_too_large = transfer.have + length > transfer.size_max ||
                          (is_known && transfer.expected > transfer.size_max);
  if (transfer.is_too_large) return 0;
  std::size_t done = 0;
  while (done < length) {
    const auto written =
        ::pwrite(transfer.fd, bytes + done, length - done, static_cast<off_t>(transfer.have));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return transfer.write_failed = true, 0;
    done += static_cast<std::size_t>(written);
    transfer.have += static_cast<std::uint64_t>(written);
  }
  return length;
}

int on_progress(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  auto& transfer = *static_cast<Transfer*>(user);
  const bool is_known = transfer.expected != 0 && transfer.expected != UINT64_MAX;
  transfer.context.progress(transfer.have, is_known ? transfer.expected : 0);
  return transfer.context.is_cancelled() ? 1 : 0;
}

double seconds_of(const Value& value, double fallback) {
  if (const auto* real = value.as<double>()) return *real;
  return static_cast<double>(value.int_or(static_cast<std::int64_t>(fallback)));
}

std::string name_in(const std::string& url) {
  auto path = url.substr(0, url.find_first_of("?#"));
  auto name = path.substr(path.find_last_of('/') + 1);
  return name.empty() ? "download" : name;
}

struct Attempt {
  CURLcode code = CURLE_OK;
  long status = 0;
  std::string reason;
};

Attempt attempt(Transfer& transfer, const std::string& url, const Value& args) {
  const std::unique_ptr<CURL, void (*)(CURL*)> curl(::curl_easy_init(), ::curl_easy_cleanup);
  transfer.curl = curl.get();
  transfer.expected = 0;
  transfer.asked_range = transfer.have > 0 && !transfer.validator.empty();
  const auto set = [&](CURLoption option, auto value) {
    ::curl_easy_setopt(curl.get(), option, value);
  };
  char problem[CURL_ERROR_SIZE] = {};
  set(CURLOPT_URL, url.c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  set(CURLOPT_FOLLOWLOCATION, 1L);
  set(CURLOPT_MAXREDIRS, kRedirectsMax);
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
  set(CURLOPT_LOW_SPEED_LIMIT, static_cast<long>(args["low_speed_bytes"].int_or(kLowSpeedBytes)));
  set(CURLOPT_LOW_SPEED_TIME,
      static_cast<long>(args["low_speed_seconds"].int_or(kLowSpeedSeconds)));
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(seconds_of(args["timeout"], 0) * 1000));
  set(CURLOPT_USERAGENT, "eole");
  set(CURLOPT_BUFFERSIZE, 256L << 10);
  set(CURLOPT_HEADERFUNCTION, on_header);
  set(CURLOPT_HEADERDATA, &transfer);
  set(CURLOPT_WRITEFUNCTION, on_body);
  set(CURLOPT_WRITEDATA, &transfer);
  set(CURLOPT_XFERINFOFUNCTION, on_progress);
  set(CURLOPT_XFERINFODATA, &transfer);
  set(CURLOPT_NOPROGRESS, 0L);
  set(CURLOPT_ERRORBUFFER, problem);
  curl_slist* headers = nullptr;
  if (transfer.asked_range) {
    // Only if it is still the same file; otherwise the server sends all of it.
    headers = ::curl_slist_append(headers, ("If-Range: " + transfer.validator).c_str());
    set(CURLOPT_RESUME_FROM_LARGE, static_cast<curl_off_t>(transfer.have));
    set(CURLOPT_HTTPHEADER, headers);
  } else if (transfer.have > 0) {
    if (::ftruncate(transfer.fd, 0) == 0) transfer.have = 0;
  }
  Attempt result;
  result.code = ::curl_easy_perform(curl.get());
  ::curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &result.status);
  ::curl_slist_free_all(headers);
  transfer.curl = nullptr;
  if (result.code != CURLE_OK)
    result.reason = *problem != '\0' ? problem : ::curl_easy_strerror(result.code);
  return result;
}

// 416: we have it all already, or the source shrank; the digest or a fresh start decides.
bool is_whole(const Attempt& last, const Transfer& transfer) {
  if (last.code == CURLE_OK && (last.status == 200 || last.status == 206)) return true;
  return last.status == 416 && transfer.asked_range;
}

bool is_worth_retrying(const Attempt& last, const Transfer& transfer) {
  if (transfer.is_too_large || transfer.write_failed || transfer.context.is_cancelled())
    return false;
  if (last.status >= 500 || last.status == 429 || last.status == 408) return true;
  if (last.status >= 400) return false;
  switch (last.code) {
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
      return true;
    default:
      return false;
  }
}

std::string why(const Attempt& last, const Transfer& transfer, const std::string& url) {
  if (transfer.context.is_cancelled()) return "cancelled";
  if (transfer.is_too_large)
    return text("download ", url, ": larger than size_max, ", transfer.size_max, " bytes");
  if (transfer.write_failed)
    return text("download ", url, ": cannot write: ", std::strerror(errno));
  if (last.code == CURLE_OK || last.code == CURLE_HTTP_RETURNED_ERROR)
    return text("download ", url, ": HTTP ", last.status);
  return text("download ", url, ": ", last.reason);
}

Expected<std::string> digest(int fd) {
  process::Sha256 hash;
  std::string chunk(1 << 20, '\0');
  off_t at = 0;
  while (true) {
    const auto got = ::pread(fd, chunk.data(), chunk.size(), at);
    if (got < 0) return Error{std::strerror(errno)};
    if (got == 0) return hex(hash.digest());
    hash.add(std::string_view(chunk).substr(0, static_cast<std::size_t>(got)));
    at += got;
  }
}

void start_curl() {
  static std::once_flag once;
  std::call_once(once, [] { ::curl_global_init(CURL_GLOBAL_DEFAULT); });
}

}  // namespace

Outcome run_download(const Value& args, TaskContext& context) {
  const auto url = args["url"].text_or("");
  const auto wanted = args["sha256"].text_or("");
  if (url.empty()) return Outcome::failed("download: url is missing");
  if (!wanted.empty() && !is_sha256(wanted))
    return Outcome::failed("download: sha256 is not 64 lower-case hexadecimal letters");
  start_curl();
  const auto begin = std::chrono::steady_clock::now();

  const auto lasting = context.lasting_path();
  Transfer transfer(context, lasting ? *lasting : context.scratch_path("part"));
  transfer.size_max = static_cast<std::uint64_t>(args["size_max"].int_or(kSizeMaxDefault));
  transfer.fd = ::open(transfer.path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (transfer.fd < 0)
    return Outcome::failed(
        text("download: cannot write ", transfer.path, ": ", std::strerror(errno)));
  struct stat status {};
  ::fstat(transfer.fd, &status);
  transfer.have = static_cast<std::uint64_t>(status.st_size);
  std::getline(std::ifstream(validator_path(transfer)), transfer.validator);
  const auto resumed_at = transfer.validator.empty() ? 0 : transfer.have;

  const auto retries = std::clamp<std::int64_t>(args["retries"].int_or(kRetriesDefault), 0, 100);
  Attempt last;
  for (std::int64_t number = 0; number <= retries; ++number) {
    last = attempt(transfer, url, args);
    if (is_whole(last, transfer) || !is_worth_retrying(last, transfer)) break;
    const int pause_ms = static_cast<int>(std::min<std::int64_t>(200 << number, 5000));
    pollfd watch{context.cancel_fd(), POLLIN, 0};
    if (number < retries) ::poll(&watch, 1, pause_ms);
  }
  if (!is_whole(last, transfer)) return Outcome::failed(why(last, transfer, url));

  const auto found = digest(transfer.fd);
  if (!found) return Outcome::failed(text("download ", url, ": ", found.error().message));
  if (!wanted.empty() && *found != wanted) {
    ::unlink(transfer.path.c_str());
    return Outcome::failed(text("download ", url, ": sha256 is ", *found, ", wanted ", wanted));
  }
  ::unlink(validator_path(transfer).c_str());
  const auto seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  auto outcome = Outcome::done(Value::Map{{"url", url},
                                          {"bytes", transfer.have},
                                          {"sha256", *found},
                                          {"seconds", seconds},
                                          {"resumed_at", resumed_at}});
  outcome.file = FileResult{transfer.path, args["name"].text_or(name_in(url))};
  return outcome;
}

}  // namespace eole::worker
