#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/core/http/problem.hpp"
#include "gateway/core/http/request.hpp"

namespace eole::gateway::http {

constexpr std::size_t kRequestHeadBytesMax = 16 << 10;  // Of one request's head.
constexpr std::size_t kRequestFieldsMax = 100;          // Of one head.
constexpr std::size_t kChunkHeaderBytesMax = 1 << 20;   // Of one body, in all.

/// Reads the requests of one connection, one after another, and refuses what two readers could
/// understand differently (RFC 9112, sections 3 to 7). Pure.
class RequestReader {
 public:
  RequestReader();
  ~RequestReader();
  RequestReader(RequestReader&&) noexcept;
  RequestReader& operator=(RequestReader&&) noexcept;

  /// Takes bytes, at most until a head or a body is whole; returns how many. Those not taken are
  /// given again, with what comes after them. Throws Problem: then the connection ends.
  std::size_t feed(std::string_view bytes);
  /// The head is whole, and not taken yet; the body follows after it was taken.
  bool has_head() const;
  /// Throws Problem if its target makes no sense; the connection may go on.
  Request take_head();
  /// What of the body came since the last call.
  std::string take_body();
  /// Nothing of this request is to come: next_request() readies it for the next one.
  bool is_done() const;
  void next_request();
  /// Bytes of a request came, of which more is to come.
  bool is_begun() const;

 private:
  class Parser;
  std::unique_ptr<Parser> parser_;
};

}  // namespace eole::gateway::http
