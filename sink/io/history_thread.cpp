#include "sink/io/history_thread.hpp"

#include <unistd.h>

#include "common/base/text.hpp"
#include "common/process/log.hpp"
#include "common/process/system.hpp"

namespace eole::sink {

namespace {

constexpr int kStorageFailed = 3;

void serve(HistoryDesk& desk, storage::Directory& log, const std::string& index_place) {
  process::leave_core();
  try {
    History history(log);
    HistoryIndex index(index_place);
    while (desk.wait(index.due(history))) desk.serve(history, &index);
  } catch (const std::exception& error) {  // No memory: the whole sink ends at once.
    process::log_error(text("history: ", error.what()));
    ::_exit(kStorageFailed);
  }
}

}  // namespace

HistoryThread::HistoryThread(HistoryDesk& desk, storage::Directory& log, std::string index)
    : desk_(desk), thread_([&desk, &log, index = std::move(index)] { serve(desk, log, index); }) {}

HistoryThread::~HistoryThread() {
  desk_.stop();
  thread_.join();
}

}  // namespace eole::sink
