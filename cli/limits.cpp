#include "cli/limits.hpp"

#include "common/base/text.hpp"
#include "common/process/options.hpp"

namespace eole::cli {

Limit whole_number(std::uint64_t least, std::uint64_t most) {
  return {[least, most](const std::string& written) {
            const auto number = process::parse_number(written, least, most);
            return number ? std::string() : number.error().message;
          },
          text(least, " to ", most)};
}

Limit size_from(std::uint64_t least_bytes) {
  return {[least_bytes](const std::string& written) {
            const auto bytes = process::parse_size(written, least_bytes);
            return bytes ? std::string() : bytes.error().message;
          },
          "SIZE"};
}

}  // namespace eole::cli
