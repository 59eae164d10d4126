#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/protocol/records.hpp"
#include "common/storage/disk.hpp"

namespace eole::sink {

/// Of all that is compacted, on the disk; beyond it the oldest records go.
constexpr std::uint64_t kCompactedBytesMax = 256 << 20;
constexpr std::size_t kCompactedProjectsMax = 64;

/// What is left of the log below where it is kept: of some projects, for each key, the record of
/// the last task that was done with it. One file beside the log, in the log's order, which is
/// written anew for a segment that goes (ring rule L6). It says of each project from where on it is whole.
/// A disk without room, or damage, costs all of it, as it costs the oldest segments. One thread.
class Compacted {
 public:
  /// `directory`: the log's; it outlives this. `projects`: at most kCompactedProjectsMax.
  Compacted(storage::Directory& directory, std::set<std::string> projects,
            std::uint64_t bytes_max = kCompactedBytesMax)
      : directory_(directory), projects_(std::move(projects)), bytes_max_(bytes_max) {}
  /// What an earlier start left of this log.
  void open(std::uint64_t log);
  bool is_wanted(std::string_view project) const { return projects_.contains(std::string(project)); }

  /// From this offset on what the log keeps no more has the last record of each key; nothing: there
  /// is none of this project.
  std::optional<std::uint64_t> from(std::string_view project) const;
  /// Appends the batches of a project, each after its size as u32, that lie from `offset` on and
  /// below `end`, some `bytes_max` bytes of them. How far it looked.
  std::uint64_t read(std::string_view project, std::uint64_t offset, std::uint64_t end,
                     std::size_t bytes_max, Bytes& out);

  using OnBatch = std::function<void(const protocol::ResultBatch&)>;
  /// A segment of the log is to go, whose first record is at `first`: durable once it returns.
  /// `visit`: shows its batches, as often as it is asked. What was added already may come again.
  void add(std::uint64_t first, const std::function<void(const OnBatch&)>& visit);

 private:
  using Key = std::pair<std::string, std::string>;  // Project and key.
  using Last = std::map<Key, std::uint64_t>;        // The offset of the last record.
  /// Hears a record as a batch of its own; false ends the visit.
  using OnRecord = std::function<bool(std::string_view encoded, const protocol::ResultBatch& batch,
                                      const protocol::ResultRecord& result)>;
  class Writer;
  void load(std::uint64_t log);
  void visit(std::uint64_t place, const OnRecord& on_record) const;
  void write(const Last& last, const std::function<void(const OnRecord&)>& added);
  void drop();

  storage::Directory& directory_;
  std::set<std::string> projects_;
  std::uint64_t bytes_max_;
  std::uint64_t log_ = 0;
  std::map<std::string, std::uint64_t, std::less<>> from_;
  std::unique_ptr<storage::File> file_;
  std::uint64_t end_ = 0;  // Of its records; what says `from_` lies behind.
  std::vector<std::pair<std::uint64_t, std::uint64_t>> places_;  // Offset and place, now and then.
};

}  // namespace eole::sink
