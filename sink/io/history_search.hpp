#pragma once
#include "common/base/time.hpp"
#include "sink/io/history.hpp"
#include "sink/io/history_filter.hpp"
#include "sink/io/index_file.hpp"

namespace eole::sink {

/// {rows, next}: the newest results that the filter wants, as many as a page has and as are found
/// until that time, and the cursor to go on with. The index names blocks, or offsets; which results
/// they are is read from the log, so that an index that says too much does no harm.
protocol::Value::Map search(IndexFile& index, History& log, const HistoryFilter& filter,
                            TimePoint until);
/// {counts, left_out}: how many results there are by state, kind and project, of those within.
protocol::Value::Map counts(IndexFile& index, std::size_t most, const Within& within);

}  // namespace eole::sink
