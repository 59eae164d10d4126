#pragma once
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

// The parser's own header costs seconds in each file that reads it: those of the commands read
// this.
namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace eole::cli {

/// Empty, or why this value is refused.
using Check = std::function<std::string(const std::string&)>;

/// Which values an option takes, and how its help says that.
struct Limit {
  Check check;
  std::string shown;
};

/// One option of a command. Each call returns it again, for the next one.
class Option {
 public:
  explicit Option(CLI::Option& parser) : parser_(parser) {}

  Option* required();
  /// Refused without that one.
  Option* needs(Option* other);
  Option* check(const Limit& limit);
  Option* check(const Check& check);
  Option* one_of(std::vector<std::string> words);
  Option* between(double least, double most);
  Option* existing_file();
  Option* existing_directory();
  /// How the help names its value; empty: not at all.
  Option* type_name(std::string name);
  /// The help has what it is now.
  Option* shows_default();
  /// It may be given again and again, with one value each time.
  Option* repeatable();
  /// The help does not have it.
  Option* hidden();
  CLI::Option& parser() { return parser_; }

 private:
  CLI::Option& parser_;
};

/// A command of the command line: its options and flags, and what it does.
class Command {
 public:
  explicit Command(CLI::App& parser) : parser_(parser) {}
  Command(const Command&) = delete;
  Command& operator=(const Command&) = delete;

  /// Throws std::runtime_error for what can be no name.
  Command* add_subcommand(const std::string& name, const std::string& about);
  void require_subcommand(int least, int most);
  /// The subcommand that was given; empty: none.
  std::string chosen() const;

  /// `names`: "--long,-s", or "name" of what stands at its place. What T may be is in command.cpp.
  template <class T>
  Option* add_option(const std::string& names, T& into, const std::string& about = "");
  Option* add_option_function(const std::string& names,
                              const std::function<void(const std::string&)>& take,
                              const std::string& about);
  /// T: bool, or texts, which are "true" then.
  template <class T>
  Option* add_flag(const std::string& names, T& into, const std::string& about);
  Option* add_flag_callback(const std::string& names, const std::function<void()>& act,
                            const std::string& about);

  void footer(const std::string& text);
  void callback(std::function<void()> act);
  CLI::App& parser() const { return parser_; }

 private:
  Option* keep(CLI::Option* option);

  CLI::App& parser_;
  std::deque<Option> options_;
  std::vector<std::unique_ptr<Command>> subcommands_;
};

}  // namespace eole::cli
