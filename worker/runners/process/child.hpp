#pragma once
#include <memory>
#include <optional>
#include <string>

#include "worker/runners/frames/frames.hpp"
#include "worker/runners/process/child_processes.hpp"

namespace eole::worker {

/// A child process that speaks frames, as its worker sees it: its socket, what it prints, its end.
/// Whatever it does costs bounded memory, and never waiting that nobody asked for. One thread.
class Child {
 public:
  static constexpr std::size_t kLastWordsMax = 2048;  // Bytes of what it printed.

  static Expected<std::unique_ptr<Child>> start(ChildProcesses& processes,
                                                ChildProcesses::Program program);
  /// Kills it and everything that it had started.
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  /// Said as far as it listens, and the rest in wait().
  void send(const frames::Frame& frame);
  /// Until something came of it, or `cancel_fd` (-1: none) is readable, which is told, or so long.
  bool wait(int cancel_fd, int milliseconds);
  Expected<std::optional<frames::Frame>> next() { return frames_.next(); }
  pid_t pid() const { return pid_; }
  /// False once it died, was stopped or closed its socket: it says nothing any more.
  bool is_well() const;
  /// Reads what it had said and printed when it died.
  void take_rest();
  void forget_words() { words_.clear(); }

  struct Death {
    std::string how;    // "died by signal 11 (Segmentation fault)"; empty: it was well.
    std::string words;  // The last that it printed, as it may be shown.
    int signal = 0;     // Of a death that was not ours.
  };
  /// Ends it, and everything that it had started: how, if it did so of itself.
  Death end();

 private:
  Child(ChildProcesses& processes, pid_t pid, int socket, int words_fd)
      : processes_(processes), pid_(pid), socket_(socket), words_fd_(words_fd) {}
  bool receive();
  bool take_words();
  void give();

  ChildProcesses& processes_;
  pid_t pid_;
  int socket_;
  int words_fd_;
  frames::FrameReader frames_;
  Bytes outgoing_;
  std::string words_;
  bool is_closed_ = false;
};

}  // namespace eole::worker
