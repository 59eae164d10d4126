#pragma once
#include "common/base/time.hpp"
#include "sink/io/history.hpp"
#include "sink/io/history_filter.hpp"
#include "sink/io/index_file.hpp"

namespace eole::sink {

/// {since, step, done, failed, dead, cancelled, retrying, counted_from}: how many results that the
/// filter wants finished in each step of its time, by their state: a list each, the oldest first.
/// The newest are counted first; those that finished before `counted_from` were not, for want of
/// time or because they are not kept (null: all were). A block of the index that lies in one step
/// is counted by its classes alone; only what lies over an edge is read from the log.
protocol::Value::Map over_time(IndexFile& index, History& log, const HistoryFilter& filter,
                               TimePoint until);

}  // namespace eole::sink
