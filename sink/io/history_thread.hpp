#pragma once
#include <set>
#include <string>
#include <thread>

#include "common/storage/disk.hpp"
#include "sink/io/history_desk.hpp"

namespace eole::sink {

/// Reads the log in a thread of its own, for whoever asks at the desk, and keeps what roles log: no
/// read of a disk, and no search, holds up results. Ends the process if what it does fails.
class HistoryThread {
 public:
  /// What is kept beside the log, and where.
  struct Beside {
    std::string index;  // Directories.
    std::string lines;
    LineRetention retention;
    std::set<std::string> compact = {};  // Projects of the log.
  };
  /// `log`: its directory, as the desk it outlives this.
  HistoryThread(HistoryDesk& desk, storage::Directory& log, Beside beside);
  ~HistoryThread();
  HistoryThread(const HistoryThread&) = delete;
  HistoryThread& operator=(const HistoryThread&) = delete;

 private:
  HistoryDesk& desk_;
  std::thread thread_;
};

}  // namespace eole::sink
