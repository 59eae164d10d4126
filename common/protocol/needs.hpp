#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/expected.hpp"

/// What tasks need of a worker, and what a worker has.
namespace eole::protocol {

constexpr std::size_t kNeedsMax = 32;         // Of a task, or what a worker has of each sort.
constexpr std::size_t kNeedBytesMax = 64;     // Of a name, and of a label.
constexpr std::size_t kNeedsBytesMax = 1000;  // All, as they are written: a head has room for both.
constexpr std::uint64_t kAmountMax = 1ULL << 60;  // Of a resource, in thousandths.

/// Thousandths: "2", "0.5", "64G". K, M, G and T are 1024 each of the one before; nothing if it is
/// none of these, or too much.
std::optional<std::uint64_t> parse_amount(std::string_view written);
std::string amount_text(std::uint64_t thousandths);

struct Need {
  std::string name;
  std::string value;                         // As it is written: a label is equal.
  std::optional<std::uint64_t> amount = {};  // If it may be a resource: so much of it.
  bool operator==(const Need&) const = default;
};
/// "gpu=a100,mem=64G,licence=2". Errors name what is wrong.
Expected<std::vector<Need>> parse_needs(std::string_view written);

/// What a worker has: labels by name, and how much there is of each resource.
struct Offers {
  std::map<std::string, std::string, std::less<>> labels;
  std::map<std::string, std::uint64_t, std::less<>> resources;
  bool operator==(const Offers&) const = default;
};
/// Of "gpu=a100,zone=eu" and "cpus=4,mem=64G". Errors name which, and what is wrong.
Expected<Offers> parse_offers(std::string_view labels, std::string_view resources);

/// On which worker.
struct Place {
  enum class Is : std::uint8_t { kAnywhere, kPin, kPrefer, kSpread };
  Is is = Is::kAnywhere;
  std::string worker = {};
  bool operator==(const Place&) const = default;
};
/// "pin=NAME", "prefer=NAME", "spread" or nothing. Errors say what is wrong with it.
Expected<Place> parse_place(std::string_view written);

}  // namespace eole::protocol
