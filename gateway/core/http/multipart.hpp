#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/base/expected.hpp"

namespace eole::gateway::http {

constexpr std::size_t kBoundaryBytesMax = 70;       // RFC 2046, section 5.1.1.
constexpr std::size_t kPartHeadBytesMax = 8 << 10;  // Of one part of a form.
constexpr std::size_t kFormPartsMax = 128;          // Of one form.

/// What a part of a form says of itself.
struct PartHead {
  std::string name;
  std::optional<std::string> file_name = {};  // As it was sent: never to be used as a path.
  std::string content_type = {};              // As it was sent; empty: it says none.
  bool operator==(const PartHead&) const = default;
};

// What comes of a form, in this order: for each part its begin, pieces of its bytes, its end.
struct PartBegan {
  PartHead head;
  bool operator==(const PartBegan&) const = default;
};
struct PartPiece {
  std::string bytes;  // Never empty.
  bool operator==(const PartPiece&) const = default;
};
struct PartEnded {
  bool operator==(const PartEnded&) const = default;
};
using FormEvent = std::variant<PartBegan, PartPiece, PartEnded>;

/// Reads multipart/form-data (RFC 7578) while it arrives; keeps a boundary or a part's head of it
/// at most. Pure.
class FormReader {
 public:
  /// By the Content-Type of what carries the form. Errors: it is no form, or has no sound boundary.
  static Expected<FormReader> of(std::string_view content_type);
  /// Takes the next bytes, and adds what came of them. Errors are for ever: the form is refused.
  Expected<void> feed(std::string_view bytes, std::vector<FormEvent>& out);
  /// The last boundary came; what follows it is ignored.
  bool is_whole() const { return state_ == State::kWhole; }

 private:
  explicit FormReader(std::string_view boundary);
  /// One step; false: it takes more bytes.
  Expected<bool> step(std::vector<FormEvent>& out);
  Expected<bool> skip_to_boundary();
  Expected<bool> behind_boundary();
  Expected<bool> read_head(std::vector<FormEvent>& out);
  bool read_body(std::vector<FormEvent>& out);

  enum class State : std::uint8_t { kBefore, kBehindBoundary, kHead, kBody, kWhole };
  State state_ = State::kBefore;
  std::string delimiter_;  // CR LF -- boundary
  std::string buffer_;
  std::size_t skipped_ = 0;  // Bytes before the first boundary.
  std::size_t parts_ = 0;
};

/// A header's value, "form-data; name=\"a\"; filename*=UTF-8''b", in its parts.
struct FieldValue {
  struct Parameter {
    std::string name;  // In lower case.
    std::string value;
  };
  std::string value;  // In lower case.
  std::vector<Parameter> parameters = {};
  const std::string* parameter(std::string_view name) const;
};
/// Errors: what is no such value, and a parameter that stands there twice.
Expected<FieldValue> split_field(std::string_view written);

}  // namespace eole::gateway::http
