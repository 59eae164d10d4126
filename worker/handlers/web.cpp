#include "worker/handlers/web.hpp"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <locale.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include "common/base/text.hpp"
#include "common/process/options.hpp"
#include "common/process/system.hpp"
#include "worker/handlers/url.hpp"

namespace eole::worker {

namespace {

constexpr int kPauseMs = 20;
constexpr int kRestMs = 1000;           // Nothing is due that libcurl does not know.
constexpr long kIdleConnections = 128;  // Kept open for the next request.
constexpr long kConnectSeconds = 15;
constexpr long kReceiveBytes = 512 << 10;     // The most that libcurl takes at a time.
constexpr std::size_t kRatedHostsMax = 1024;  // Beyond that the one goes that has least to wait for.

std::string to_text(const sockaddr& address) {
  char written[INET6_ADDRSTRLEN] = {};
  const void* raw =
      address.sa_family == AF_INET
          ? static_cast<const void*>(&reinterpret_cast<const sockaddr_in&>(address).sin_addr)
          : &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr;
  ::inet_ntop(address.sa_family, raw, written, sizeof written);
  return written;
}

std::vector<std::string> schemes_of(std::string_view list) {
  std::vector<std::string> schemes;
  while (!list.empty()) {
    const auto comma = std::min(list.find(','), list.size());
    schemes.emplace_back(list.substr(0, comma));
    if (const auto& scheme = schemes.back(); scheme != "ftp" && scheme != "sftp" && scheme != "s3")
      throw std::runtime_error(text("--allow-scheme ", scheme, ": is ftp, sftp or s3"));
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return schemes;
}

// A task's URL may name any host: what is for all of them would be told to whoever asks for it.
void check_netrc(const std::string& path) {
  struct stat status {};
  std::ifstream file(path);
  if (::stat(path.c_str(), &status) != 0 || !file)
    throw std::runtime_error(text("--netrc ", path, ": ", std::strerror(errno)));
  if ((status.st_mode & 0077) != 0)
    throw std::runtime_error(text("--netrc ", path, ": others may read it, chmod it to 0600"));
  for (std::string word, before; file >> word; before = word)
    if (word == "default" && before != "machine" && before != "login" && before != "password")
      throw std::runtime_error(text("--netrc ", path, ": has a default, for any host"));
}

std::string or_else(const char* name, std::string fallback) {
  const char* value = std::getenv(name);
  return value == nullptr || *value == '\0' ? std::move(fallback) : std::string(value);
}

/// International host names are read in the thread's locale: URLs are UTF-8, whatever it was.
void speak_utf8() {
  static const locale_t kUtf8 = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  if (kUtf8 != nullptr) ::uselocale(kUtf8);
}

}  // namespace

Waker::Waker() : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
Waker::~Waker() { ::close(fd_); }
void Waker::wake() const { ::eventfd_write(fd_, 1); }

void Waker::wait(int other_fd, int most_ms) const {
  pollfd watched[] = {{fd_, POLLIN, 0}, {other_fd, POLLIN, 0}};
  ::poll(watched, 2, most_ms);
  eventfd_t ignored = 0;
  ::eventfd_read(fd_, &ignored);
}

struct Web::Loop {
  CURLM* multi = nullptr;
  std::mutex mutex;
  std::condition_variable taken_back;
  std::vector<Request*> to_start;  // Under the mutex, as the two below.
  std::vector<Request*> to_stop;
  bool should_stop = false;
  std::vector<Request*> paused;  // Of the loop's thread alone, as the next.
  std::vector<Request*> fed;     // Some of it came in this turn.
  std::atomic<Duration::rep> rested{0};
  std::atomic<Duration::rep> rests_since{0};  // Zero: it does not.
  std::thread thread;

  void run();
  void end(Request& request, CURLcode code);
};

void Web::Loop::end(Request& request, CURLcode code) {
  ::curl_multi_remove_handle(multi, request.curl_);
  std::erase(paused, &request);
  std::erase(fed, &request);  // Removing it may bring the last of what it was paused with.
  request.code_ = code;
  request.is_over_ = true;
  request.waker_.wake();
}

void Web::Loop::run() {
  process::leave_core();
  speak_utf8();
  while (true) {
    {
      const std::scoped_lock lock(mutex);
      if (should_stop) return;
      for (auto* request : std::exchange(to_start, {}))
        if (::curl_multi_add_handle(multi, request->curl_) != CURLM_OK)
          end(*request, CURLE_OUT_OF_MEMORY);
      for (auto* request : to_stop)
        if (!request->is_over_) end(*request, CURLE_ABORTED_BY_CALLBACK);
      if (!std::exchange(to_stop, {}).empty()) taken_back.notify_all();
    }
    for (auto* request : std::exchange(paused, {}))
      ::curl_easy_pause(request->curl_, CURLPAUSE_CONT);
    int running = 0;
    ::curl_multi_perform(multi, &running);
    for (auto* request : std::exchange(fed, {})) {
      if (request->on_turn_()) continue;
      const std::scoped_lock lock(mutex);
      end(*request, CURLE_WRITE_ERROR);
    }
    int left = 0;
    while (const auto* message = ::curl_multi_info_read(multi, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      const auto code = message->data.result;  // Gone with the handle.
      Request* request = nullptr;
      ::curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &request);
      const std::scoped_lock lock(mutex);  // Whoever takes it back looks.
      end(*request, code);
    }
    const auto from = process::now();
    rests_since = from.time_since_epoch().count();
    ::curl_multi_poll(multi, nullptr, 0, paused.empty() ? kRestMs : kPauseMs, nullptr);
    rests_since = 0;
    rested += (process::now() - from).count();
  }
}

void WebOptions::add_flags(process::Options& flags) {
  flags.list("--allow-net", networks, "CIDR",
             "that downloads may reach though it is not public: 10.0.0.0/8; repeatable");
  flags.text("--ca", authorities, "FILE",
             "certificates of authorities that downloads believe besides the system's, PEM");
  flags.list("--allow-scheme", schemes, "ftp|sftp|s3",
             "that URLs of downloads may have besides http and https; repeatable");
  flags.text("--netrc", netrc, "FILE",
             "names and passwords for the hosts of downloads, in lines as .netrc has them: machine "
             "HOST login NAME password WORD");
  flags.size("--download-rate", rate, "SIZE",
             "bytes a second of all downloads of this worker together; 0: as fast as it goes", 0);
  flags.size("--download-host-rate", host_rate, "SIZE", "... of its downloads from one host", 0);
}

Web::Web(const WebOptions& options)
    : options_(options), rate_(options.rate), loop_(std::make_unique<Loop>()) {
  auto networks = Networks::allowing(options.networks);
  if (!networks) throw std::runtime_error(text("--allow-net ", networks.error().message));
  networks_ = std::move(*networks);
  const auto& authorities = options_.authorities;
  if (!authorities.empty() && ::access(authorities.c_str(), R_OK) != 0)
    throw std::runtime_error(text("--ca ", authorities, ": ", std::strerror(errno)));
  schemes_ = schemes_of(options_.schemes);
  if (!options_.netrc.empty()) check_netrc(options_.netrc);
  static std::once_flag once;
  std::call_once(once, [] { ::curl_global_init(CURL_GLOBAL_DEFAULT); });
  loop_->multi = ::curl_multi_init();
  if (loop_->multi == nullptr) throw std::runtime_error("libcurl: no memory");
  ::curl_multi_setopt(loop_->multi, CURLMOPT_MAXCONNECTS, kIdleConnections);
  ::curl_multi_setopt(loop_->multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
  loop_->thread = std::thread([this] { loop_->run(); });
}

Web::~Web() {
  {
    const std::scoped_lock lock(loop_->mutex);
    loop_->should_stop = true;
  }
  ::curl_multi_wakeup(loop_->multi);
  loop_->thread.join();
  ::curl_multi_cleanup(loop_->multi);
}

Web::Request::Request(Web& web, const Waker& waker, std::function<bool()> on_turn)
    : web_(web), waker_(waker), on_turn_(std::move(on_turn)), curl_(::curl_easy_init()) {
  if (curl_ == nullptr) throw std::runtime_error("libcurl: no memory");
  const auto set = [&](CURLoption option, auto value) { ::curl_easy_setopt(curl_, option, value); };
  set(CURLOPT_PRIVATE, this);
  std::string protocols = "http,https";
  for (const auto& scheme : web_.schemes_)
    if (scheme != "s3") protocols += "," + scheme;
  set(CURLOPT_PROTOCOLS_STR, protocols.c_str());
  set(CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
  set(CURLOPT_BUFFERSIZE, kReceiveBytes);
  set(CURLOPT_USERAGENT, "eole");
  if (const auto& authorities = web_.options_.authorities; !authorities.empty())
    set(CURLOPT_CAINFO, authorities.c_str());  // The system's directory stays.
  if (const auto& netrc = web_.options_.netrc; !netrc.empty())
    set(CURLOPT_NETRC_FILE, netrc.c_str());
  // Of the user that the worker runs as; a host that is not among them is refused.
  set(CURLOPT_SSH_KNOWNHOSTS, text(or_else("HOME", ""), "/.ssh/known_hosts").c_str());
  // Not with that user's keys, nor their agent: any task may name a host that they open.
  set(CURLOPT_SSH_AUTH_TYPES, static_cast<long>(CURLSSH_AUTH_PASSWORD | CURLSSH_AUTH_KEYBOARD));
  // Sees the address that a name came to: at each redirect, and whatever it came to before.
  const auto open = +[](void* user, curlsocktype, curl_sockaddr* address) -> curl_socket_t {
    auto& request = *static_cast<Request*>(user);
    if (request.web_.networks_.may_reach(address->addr))
      return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    request.refused_ = to_text(address->addr);
    return CURL_SOCKET_BAD;
  };
  set(CURLOPT_OPENSOCKETFUNCTION, open);
  set(CURLOPT_OPENSOCKETDATA, this);
}

// Of the answer that it has, behind all redirects.
std::string Web::Request::host() const {
  const char* url = nullptr;
  ::curl_easy_getinfo(curl_, CURLINFO_EFFECTIVE_URL, &url);
  const std::unique_ptr<CURLU, decltype(&::curl_url_cleanup)> parts(::curl_url(),
                                                                    ::curl_url_cleanup);
  char* host = nullptr;
  if (url == nullptr || ::curl_url_set(parts.get(), CURLUPART_URL, url, 0) != CURLUE_OK ||
      ::curl_url_get(parts.get(), CURLUPART_HOST, &host, 0) != CURLUE_OK)
    return {};
  std::string name(host);
  ::curl_free(host);
  for (auto& letter : name)
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  return name;
}

// Also while it does: it may wait for as long as its servers are silent.
Duration Web::rested() const {
  const Duration::rep since = loop_->rests_since;
  const auto now = process::now().time_since_epoch().count();
  return Duration(loop_->rested + (since == 0 ? 0 : now - since));
}

bool Web::takes(std::string_view scheme) const {
  return scheme == "http" || scheme == "https" ||
         std::find(schemes_.begin(), schemes_.end(), scheme) != schemes_.end();
}

// s3://BUCKET/KEY is a path at the store's own address; AWS's, where the environment says no other.
Expected<void> Web::Request::set_url(const std::string& url) {
  const auto scheme = scheme_of(url);
  if (!web_.takes(scheme))
    return Error{text("a worker takes ", scheme, "://… only with --allow-scheme ", scheme)};
  if (!web_.options_.netrc.empty()) {  // What the operator knows goes nowhere that all can listen.
    const bool is_plain = scheme == "http" || scheme == "ftp";
    ::curl_easy_setopt(curl_, CURLOPT_NETRC,
                       static_cast<long>(is_plain ? CURL_NETRC_IGNORED : CURL_NETRC_OPTIONAL));
    ::curl_easy_setopt(curl_, CURLOPT_REDIR_PROTOCOLS_STR, is_plain ? "http,https" : "https");
  }
  if (scheme != "s3") {
    ::curl_easy_setopt(curl_, CURLOPT_URL, url.c_str());
    return {};
  }
  const auto region = or_else("AWS_REGION", "us-east-1");
  const auto store = or_else("AWS_ENDPOINT_URL", text("https://s3.", region, ".amazonaws.com"));
  ::curl_easy_setopt(curl_, CURLOPT_URL, text(store, '/', url.substr(5)).c_str());
  if (web_.options_.netrc.empty()) return {};  // What anybody may read.
  ::curl_easy_setopt(curl_, CURLOPT_AWS_SIGV4, text("aws:amz:", region, ":s3").c_str());
  headers_.emplace_back("x-amz-content-sha256: UNSIGNED-PAYLOAD");
  return {};
}

Rate& Web::rate_of(const std::string& host) {
  if (rates_.size() >= kRatedHostsMax && !rates_.contains(host))
    rates_.erase(std::min_element(rates_.begin(), rates_.end(), [](const auto& a, const auto& b) {
      return a.second.due() < b.second.due();
    }));
  return rates_.try_emplace(host, options_.host_rate).first->second;
}

bool Web::Request::is_ahead_of_rates() const {
  if (!web_.has_rates()) return false;
  const auto now = process::now();
  return web_.rate_.is_ahead(now) ||
         (web_.options_.host_rate > 0 && web_.rate_of(host()).is_ahead(now));
}

void Web::Request::count(std::uint64_t bytes) {
  if (!web_.has_rates()) return;
  const auto now = process::now();
  web_.rate_.add(bytes, now);
  if (web_.options_.host_rate > 0) web_.rate_of(host()).add(bytes, now);
}

void Web::Request::pause() { web_.loop_->paused.push_back(this); }

void Web::Request::at_turn_end() {
  auto& fed = web_.loop_->fed;
  if (std::find(fed.begin(), fed.end(), this) == fed.end()) fed.push_back(this);
}

void Web::Request::start() {
  {
    const std::scoped_lock lock(web_.loop_->mutex);
    web_.loop_->to_start.push_back(this);
    is_started_ = true;
  }
  ::curl_multi_wakeup(web_.loop_->multi);
}

Web::Request::~Request() {
  auto& loop = *web_.loop_;
  if (is_started_) {
    std::unique_lock lock(loop.mutex);
    std::erase(loop.to_start, this);
    if (!is_over_) {
      loop.to_stop.push_back(this);
      ::curl_multi_wakeup(loop.multi);
      loop.taken_back.wait(lock, [&] {
        return std::find(loop.to_stop.begin(), loop.to_stop.end(), this) == loop.to_stop.end();
      });
    }
  }
  ::curl_easy_cleanup(curl_);
}

}  // namespace eole::worker
