#pragma once
#include <map>
#include <string>
#include <vector>

#include "cli/common.hpp"
#include "common/kinds/offered.hpp"

namespace eole::cli {

/// What was written after `eole submit KIND`.
struct KindWords {
  std::vector<std::string> words;
  std::map<std::string, std::vector<std::string>> options;  // By the argument's name.
  std::string key;     // The file of one that signs the command; empty: none.
  std::string script;  // A file that goes along and is the command's program; empty: none.
};

/// Letters, digits and _-./: alone: a shell completes it, and takes it for nothing else.
bool is_plain_word(std::string_view name);

/// Adds a command for each kind to `submit`, with an option for each of its arguments; of those
/// that are `offered` where its name makes one.
void add_kinds(Command& submit, const kinds::OfferedKinds& offered, KindWords& words);

/// What the cluster's workers offer, if these words of a command line, or those that a shell
/// completes, may be about a kind of a runner; else, and if nobody answers within a second, none.
/// Asks again within that second while the kind behind `eole submit` is not among them: its worker
/// may be about to come. So a misspelt kind is refused a second late.
kinds::OfferedKinds offered_for(std::vector<std::string> words);

/// The arguments of the tasks that the words mean: one task a word where the kind has tasks of a
/// word each, else one task. Uploads the files among an image's words, and a script. Throws
/// Failure.
std::vector<Value> args_of(const kinds::Kind& kind, const KindWords& words, Cluster& cluster);

}  // namespace eole::cli
