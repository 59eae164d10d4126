#pragma once
#include <string>

#include "cli/common.hpp"

namespace eole::cli {

/// Where in the log: as "group_create" takes it. Throws Failure.
Value place_in_log(Cluster& cluster, const std::string& written, const char* flag = "--from");
/// That as an offset: of what is kept the oldest, or the log's head.
std::uint64_t offset_of_place(Cluster& cluster, const Value& place);
/// A group of one member that reads from there on, unless it is there already.
void create_cursor(Cluster& cluster, const std::string& name, const std::string& from);

struct GroupWatch {
  std::string group;
  std::string member;
  std::string commit = "end";
  std::uint64_t count = UINT64_MAX;
  std::string project;
  std::string topic;  // A pattern; empty: all.
};
/// Prints the group's records as one of its members; the exit code.
int watch_group(Cluster& cluster, const GroupWatch& options, bool is_json);

}  // namespace eole::cli
