#include "cli/command.hpp"

#include <CLI/CLI.hpp>
#include <optional>

namespace eole::cli {

Option* Option::required() {
  parser_.required();
  return this;
}

Option* Option::needs(Option* other) {
  parser_.needs(&other->parser_);
  return this;
}

Option* Option::check(const Limit& limit) {
  parser_.check(CLI::Validator(
      [check = limit.check](const std::string& written) { return check(written); }, limit.shown));
  return this;
}

Option* Option::check(const Check& check) {
  parser_.check(check);
  return this;
}

Option* Option::one_of(std::vector<std::string> words) {
  parser_.check(CLI::IsMember(std::move(words)));
  return this;
}

Option* Option::between(double least, double most) {
  parser_.check(CLI::Range(least, most));
  return this;
}

Option* Option::existing_file() {
  parser_.check(CLI::ExistingFile);
  return this;
}

Option* Option::existing_directory() {
  parser_.check(CLI::ExistingDirectory);
  return this;
}

Option* Option::type_name(std::string name) {
  parser_.type_name(std::move(name));
  return this;
}

Option* Option::shows_default() {
  parser_.capture_default_str();
  return this;
}

Option* Option::repeatable() {
  parser_.expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  parser_.allow_extra_args(false);
  return this;
}

Option* Option::hidden() {
  parser_.group("");
  return this;
}

Command* Command::add_subcommand(const std::string& name, const std::string& about) {
  subcommands_.push_back(std::make_unique<Command>(*parser_.add_subcommand(name, about)));
  return subcommands_.back().get();
}

void Command::require_subcommand(int least, int most) { parser_.require_subcommand(least, most); }

std::string Command::chosen() const {
  const auto given = parser_.get_subcommands();
  return given.empty() ? "" : given.front()->get_name();
}

Option* Command::keep(CLI::Option* option) { return &options_.emplace_back(*option); }

template <class T>
Option* Command::add_option(const std::string& names, T& into, const std::string& about) {
  return keep(parser_.add_option(names, into, about));
}

template <class T>
Option* Command::add_flag(const std::string& names, T& into, const std::string& about) {
  auto* flag = parser_.add_flag(names, into, about);
  if constexpr (std::is_same_v<T, bool>) flag->disable_flag_override();
  return keep(flag);
}

template Option* Command::add_option(const std::string&, std::string&, const std::string&);
template Option* Command::add_option(const std::string&, std::vector<std::string>&,
                                     const std::string&);
template Option* Command::add_option(const std::string&, double&, const std::string&);
template Option* Command::add_option(const std::string&, int&, const std::string&);
template Option* Command::add_option(const std::string&, std::int64_t&, const std::string&);
template Option* Command::add_option(const std::string&, std::uint32_t&, const std::string&);
template Option* Command::add_option(const std::string&, std::uint64_t&, const std::string&);
template Option* Command::add_option(const std::string&, std::optional<std::int64_t>&,
                                     const std::string&);
template Option* Command::add_option(const std::string&, std::optional<std::uint64_t>&,
                                     const std::string&);
template Option* Command::add_flag(const std::string&, bool&, const std::string&);
template Option* Command::add_flag(const std::string&, std::vector<std::string>&,
                                   const std::string&);

Option* Command::add_option_function(const std::string& names,
                                     const std::function<void(const std::string&)>& take,
                                     const std::string& about) {
  return keep(parser_.add_option_function<std::string>(names, take, about));
}

Option* Command::add_flag_callback(const std::string& names, const std::function<void()>& act,
                                   const std::string& about) {
  return keep(parser_.add_flag_callback(names, act, about)->disable_flag_override());
}

void Command::footer(const std::string& text) { parser_.footer(text); }

void Command::callback(std::function<void()> act) { parser_.callback(std::move(act)); }

}  // namespace eole::cli
