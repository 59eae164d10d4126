#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/core/access/caller.hpp"
#include "gateway/core/http/problem.hpp"
#include "gateway/core/http/request.hpp"
#include "gateway/io/asio.hpp"

namespace eole::gateway {

struct Route;

/// Bytes that many may be sent. Null: none.
using Shared = std::shared_ptr<const std::string>;

/// The bytes of a connection, clear or encrypted.
class Stream {
 public:
  virtual ~Stream() = default;
  /// Before all else. False: it broke.
  virtual awaitable<bool> open() = 0;
  /// What came, `most` bytes at most; empty: the other side ended it, or it broke.
  virtual awaitable<std::string> read(std::size_t most) = 0;
  /// False: it broke.
  virtual awaitable<bool> write(std::string_view bytes) = 0;
  /// Nothing more is written. What the other side still sends can be read, if it is clear.
  virtual awaitable<void> end_writing() = 0;
  virtual void close() = 0;
  /// Ends a read that waits, as if nothing more came.
  virtual void cancel() = 0;
  /// The other side has ended it; what it sent before may still be there.
  virtual bool is_gone() = 0;
};

/// One request and its answer, as a handler sees them. A handler returns its answer, or has sent it
/// with begin(), write() and end() and returns nothing; or it throws http::Problem.
class Exchange {
 public:
  virtual ~Exchange() = default;
  http::Request request;
  std::string request_id;           // In its answer, and wherever the log is about it.
  Caller caller;                    // Who asks.
  std::string address;              // From where, without a port.
  std::vector<http::Field> common;  // In the head of the answer, whatever it is.
  const Route* route = nullptr;     // What answers it, once that is known.

  /// The next bytes of the body, at most kPieceBytes; empty at its end. Throws Problem if it breaks
  /// off or makes no sense. Nothing more is read from the connection until it is called again.
  static constexpr std::size_t kPieceBytes = 64 << 10;
  virtual awaitable<std::string> read() = 0;
  /// All that is left of the body. Throws Problem 413 if it has more bytes than `most`.
  awaitable<std::string> read_all(std::size_t most);

  /// The head of an answer whose body follows by write(), of `length` bytes if that is known. To a
  /// HEAD only the head is sent. Throws Gone if the client has gone.
  virtual awaitable<void> begin(http::Response head, std::optional<std::uint64_t> length) = 0;
  virtual awaitable<void> write(std::string_view piece) = 0;
  virtual awaitable<void> end() = 0;

  /// Sends what is said in plain bytes, and takes the connection: no further request comes of it.
  /// What was read of it and not taken yet is in `unread`.
  virtual awaitable<void> upgrade(http::Response head, std::string& unread) = 0;
  /// The answer that this problem is. What failed here is logged: who was refused so asks why.
  virtual http::Response refusal(const http::Problem& problem) = 0;
  /// "boss from 10.0.0.7, request 5f0c…": for the log, of what was done for whom.
  std::string by() const;

  virtual Stream& stream() = 0;
  bool is_gone() { return stream().is_gone(); }
};

/// The client has gone: nothing is left to be said.
struct Gone : std::exception {
  const char* what() const noexcept override { return "the client has gone"; }
};

}  // namespace eole::gateway
