#pragma once
#include <array>
#include <functional>
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
  /// What it prints, as it comes.
  using OnWords = std::function<void(bool is_stderr, std::string_view bytes)>;

  static Expected<std::unique_ptr<Child>> start(ChildProcesses& processes,
                                                ChildProcesses::Program program, OnWords on_words);
  /// Kills it and everything that it had started.
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  /// Said as far as it listens, and the rest in wait().
  void send(const frames::Frame& frame) { send(frames::encode(frame)); }
  /// Several, encoded.
  void send(const Bytes& encoded);
  bool has_sent_all() const { return outgoing_.empty(); }
  /// Until something came of it, or `cancel_fd` (-1: none) is readable, which is told, or so long.
  bool wait(int cancel_fd, int milliseconds);
  Expected<std::optional<frames::Frame>> next() { return frames_.next(); }
  pid_t pid() const { return pid_; }
  /// False once it died, was stopped or closed its socket: it says nothing any more.
  bool is_well() const;
  /// Reads what it had said and printed when it died.
  void take_rest();
  /// Reads what it has printed.
  void take_words();
  /// Tells its process and those of its group to end; with its socket closed, too.
  void signal_end();
  void close_socket();
  /// What its process has in memory; zero if that cannot be told.
  std::uint64_t memory_bytes() const;
  void forget_words() { words_.clear(); }

  struct Death {
    std::string how;    // "died by signal 11 (Segmentation fault)"; empty: it was well.
    std::string words;  // The last that it printed, as it may be shown.
    int signal = 0;     // Of a death that was not ours.
  };
  /// Ends it, and everything that it had started: how, if it did so of itself.
  Death end();

 private:
  using Words = std::array<int, 2>;  // Of its stdout, of its stderr.
  Child(ChildProcesses& processes, pid_t pid, int socket, Words words_fds, OnWords on_words)
      : processes_(processes),
        pid_(pid),
        socket_(socket),
        words_fds_(words_fds),
        on_words_(std::move(on_words)) {}
  bool receive();
  bool take_words(std::size_t stream);
  void give();

  ChildProcesses& processes_;
  pid_t pid_;
  int socket_;
  Words words_fds_;
  OnWords on_words_;
  frames::FrameReader frames_;
  Bytes outgoing_;
  std::string words_;
  bool is_closed_ = false;
};

}  // namespace eole::worker
