#pragma once
#include <cstdint>
#include <map>
#include <string>

#include "common/protocol/records.hpp"
#include "sink/io/history.hpp"

namespace eole::simulation {

/// Of a project that is compacted the last record of each key is never lost while its log goes on.
class CompactRules {
 public:
  static constexpr const char* kProject = "p0";
  /// `may_forget`: disks fail or fill up.
  explicit CompactRules(bool may_forget) : may_forget_(may_forget) {}
  void on_durable(std::uint64_t log, const protocol::ResultBatch& batch);
  /// What a reader from the start on is told.
  void check(sink::History& history) const;

 private:
  bool may_forget_;
  std::map<std::uint64_t, std::map<std::string, std::uint64_t>> last_;  // By log and key.
};

}  // namespace eole::simulation
