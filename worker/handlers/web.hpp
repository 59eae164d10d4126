#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "worker/handlers/networks.hpp"

namespace eole::process {
class Options;
}

namespace eole::worker {

struct WebOptions {
  std::string networks;     // That requests may reach besides public ones, as Networks reads them.
  std::string authorities;  // PEM of certificates to believe besides the system's; empty: none.
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

  /// A request of libcurl's, set up by its owner. Its callbacks are called by the loop's thread.
  class Request {
   public:
    /// `waker` is woken when it has ended; it outlives this.
    Request(Web& web, const Waker& waker);
    /// Takes it back if it is under way: no callback is called after that.
    ~Request();
    Request(const Request&) = delete;
    Request& operator=(const Request&) = delete;
    void* curl() const { return curl_; }
    void start();
    bool is_over() const { return is_over_; }
    /// In a callback that says CURL_WRITEFUNC_PAUSE: it is called again a little later.
    void pause();
    /// Of libcurl, once it is over.
    int code() const { return code_; }
    /// An address that it would have reached and may not; empty: none.
    const std::string& refused() const { return refused_; }

   private:
    friend class Web;
    Web& web_;
    const Waker& waker_;
    void* curl_;
    bool is_started_ = false;
    std::atomic<bool> is_over_{false};
    int code_ = 0;
    std::string refused_;
  };

 private:
  struct Loop;
  std::string authorities_;
  Networks networks_;
  std::unique_ptr<Loop> loop_;
};

}  // namespace eole::worker
