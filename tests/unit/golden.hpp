#pragma once
#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <string>

#include "common/base/ids.hpp"
#include "common/base/text.hpp"

namespace eole {

/// Compares with tests/golden/NAME; EOLE_BLESS=1 writes it instead, on purpose only.
inline void check_golden(const std::string& name, const std::string& bytes) {
  const auto path = text(EOLE_GOLDEN_DIR, "/", name);
  if (std::getenv("EOLE_BLESS") != nullptr) std::ofstream(path) << hex(bytes) << "\n";
  std::ifstream file(path);
  std::string golden;
  std::getline(file, golden);
  INFO(name);
  REQUIRE(golden == hex(bytes));
}

}  // namespace eole
