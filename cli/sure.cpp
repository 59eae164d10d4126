#include "cli/sure.hpp"

#include <unistd.h>

#include <cstdio>
#include <iostream>

#include "cli/common.hpp"

namespace eole::cli {

bool is_sure(const std::string& question) {
  if (!is_terminal(STDIN_FILENO) || !is_terminal(STDERR_FILENO)) return true;
  std::fprintf(stderr, "%s [y/N] ", question.c_str());
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "yes";
}

}  // namespace eole::cli
