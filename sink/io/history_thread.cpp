#include "sink/io/history_thread.hpp"

#include <unistd.h>

#include "common/base/text.hpp"
#include "common/process/log.hpp"
#include "common/process/system.hpp"

namespace eole::sink {

namespace {

constexpr int kStorageFailed = 3;

void serve(HistoryDesk& desk, storage::Directory& log) {
  process::leave_core();
  try {
    History history(log);
    while (desk.wait()) desk.serve(history);
  } catch (const std::exception& error) {  // No memory: the whole sink ends at once.
    process::log_error(text("history: ", error.what()));
    ::_exit(kStorageFailed);
  }
}

}  // namespace

HistoryThread::HistoryThread(HistoryDesk& desk, storage::Directory& log)
    : desk_(desk), thread_([&desk, &log] { serve(desk, log); }) {}

HistoryThread::~HistoryThread() {
  desk_.stop();
  thread_.join();
}

}  // namespace eole::sink
