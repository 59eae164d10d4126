#pragma once
#include <string>

#include "gateway/core/upload.hpp"
#include "gateway/io/places.hpp"
#include "gateway/io/ring.hpp"
#include "gateway/io/upload_file.hpp"

namespace eole::gateway {

/// Turns a file that came whole into an artifact and a task.
class Intake {
 public:
  explicit Intake(Fabric& fabric) : fabric_(fabric) {}

  /// What an upload came to.
  struct Taken {
    UploadWish wish;
    TaskId id;
    std::string sha256;
    std::uint64_t bytes = 0;
  };
  /// Once the artifact and the task are durable; with a `key` that is once, however often it is
  /// asked. The file outlives the call. Throws http::Problem.
  awaitable<Taken> take(Ring ring, const UploadFile& file, UploadWish wish, std::string key);

 private:
  static constexpr std::size_t kPutsMax = 4;  // At a time: each has 2 MiB on their way.
  awaitable<std::string> digest(const UploadFile& file);
  awaitable<void> put(const UploadFile& file, std::string sha256);

  Fabric& fabric_;
  Places puts_{kPutsMax};
};

/// Lets the ring and others have their turn; between two pieces of kPauseBytes of a file.
awaitable<void> pause_for_others();
constexpr std::uint64_t kPauseBytes = 1 << 20;

/// As JSON for who uploaded: its name from now on, the task's id, and where to look.
protocol::Value told(const Intake::Taken& taken);

}  // namespace eole::gateway
