#include "sink/io/history_thread.hpp"

#include <unistd.h>

#include <stdexcept>

#include "common/base/text.hpp"
#include "common/process/log.hpp"
#include "common/process/system.hpp"

namespace eole::sink {

namespace {

constexpr int kStorageFailed = 3;

void serve(HistoryDesk& desk, storage::Directory& log, const HistoryThread::Beside& beside) {
  process::leave_core();
  try {
    History history(log, beside.compact);
    HistoryIndex index(beside.index);
    LineStore lines(beside.lines, beside.retention, process::random_u64());
    while (desk.wait(index.due(history))) desk.serve(history, &index, &lines);
  } catch (const std::exception& error) {  // No memory: the whole sink ends at once.
    process::log_error(text("history: ", error.what()));
    ::_exit(kStorageFailed);
  }
}

}  // namespace

HistoryThread::HistoryThread(HistoryDesk& desk, storage::Directory& log, Beside beside)
    : desk_(beside.compact.size() <= kCompactedProjectsMax
                ? desk
                : throw std::invalid_argument(text("--compact: ", beside.compact.size(),
                                                   " projects, limit ", kCompactedProjectsMax))),
      thread_([&desk, &log, beside = std::move(beside)] { serve(desk, log, beside); }) {}

HistoryThread::~HistoryThread() {
  desk_.stop();
  thread_.join();
}

}  // namespace eole::sink
