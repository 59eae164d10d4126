#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/base/expected.hpp"
#include "worker/handlers/networks.hpp"
#include "worker/handlers/rate.hpp"

namespace eole::process {
class Options;
}

namespace eole::worker {

struct WebOptions {
  std::string networks;     // That requests may reach besides public ones, as Networks reads them.
  std::string authorities;  // PEM of certificates to believe besides the system's; empty: none.
  std::uint64_t rate = 0;   // Bytes a second of all downloads together; zero: as fast as it goes.
  std::uint64_t host_rate = 0;  // … of those from one host.
  std::string schemes;          // Of URLs, besides http and https: some of ftp, sftp and s3.
  std::string netrc;  // A file as .netrc is: the names and passwords for hosts; empty: none.
  void add_flags(process::Options& flags);
};

/// Wakes a thread that waits, for an answer or for the wish to end.
class Waker {
 public:
  Waker();
  ~Waker();
  Waker(const Waker&) = delete;
  Waker& operator=(const Waker&) = delete;
  void wake() const;
  /// Returns once woken, or `other_fd` is readable, or so many milliseconds have passed.
  void wait(int other_fd, int most_ms) const;

 private:
  int fd_;
};

/// All HTTP of a worker: one thread, one pool of connections, one cache of names and sessions.
class Web {
 public:
  /// Throws std::runtime_error if the options make no sense.
  explicit Web(const WebOptions& options);
  ~Web();
  Web(const Web&) = delete;
  Web& operator=(const Web&) = delete;

  /// For how long the loop has had nothing to do, of all the time that it is there.
  Duration rested() const;
  /// More connections do not make it faster.
  bool has_rates() const { return options_.rate > 0 || options_.host_rate > 0; }

  /// A request of libcurl's, set up by its owner. Its callbacks are called by the loop's thread.
  class Request {
   public:
    /// `waker` is woken when it has ended; it outlives this. `on_turn`: called where a callback
    /// asked for it; false ends it.
    Request(Web& web, const Waker& waker, std::function<bool()> on_turn);
    /// Takes it back if it is under way: no callback is called after that.
    ~Request();
    Request(const Request&) = delete;
    Request& operator=(const Request&) = delete;
    void* curl() const { return curl_; }
    /// Where it goes. Errors: a scheme that this worker does not take.
    Expected<void> set_url(const std::string& url);
    /// Header lines for where it goes.
    const std::vector<std::string>& headers() const { return headers_; }
    void start();
    bool is_over() const { return is_over_; }
    /// In a callback that says CURL_WRITEFUNC_PAUSE: it is called again a little later.
    void pause();
    /// In a callback: `on_turn` is called once libcurl has handed over all that came by now.
    void at_turn_end();
    /// In a callback: the worker's rates, or its host's, let nothing pass now.
    bool is_ahead_of_rates() const;
    /// In a callback: so many bytes have passed.
    void count(std::uint64_t bytes);
    /// Of libcurl, once it is over.
    int code() const { return code_; }
    /// An address that it would have reached and may not; empty: none.
    const std::string& refused() const { return refused_; }

   private:
    friend class Web;
    std::string host() const;
    Web& web_;
    const Waker& waker_;
    std::function<bool()> on_turn_;
    void* curl_;
    bool is_started_ = false;
    std::atomic<bool> is_over_{false};
    int code_ = 0;
    std::string refused_;
    std::vector<std::string> headers_;
  };

 private:
  struct Loop;
  bool takes(std::string_view scheme) const;
  Rate& rate_of(const std::string& host);
  WebOptions options_;
  Networks networks_;
  std::vector<std::string> schemes_;
  Rate rate_;                          // This one and the next are the loop's alone.
  std::map<std::string, Rate> rates_;  // By host.
  std::unique_ptr<Loop> loop_;
};

}  // namespace eole::worker
