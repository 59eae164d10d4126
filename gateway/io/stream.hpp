#pragma once
#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <string>

#include "gateway/io/exchange.hpp"

namespace eole::gateway {

constexpr int kSendBufferBytesMax = 256 << 10;  // In the kernel, of one connection.

/// A connection as it is.
std::unique_ptr<Stream> clear_stream(asio::ip::tcp::socket socket);

/// What encrypts connections: TLS 1.2 and later.
class Tls {
 public:
  /// The paths of a certificate, with what leads to its root, and its key, in PEM. Throws
  /// std::runtime_error.
  Tls(const std::string& certificate, const std::string& key);
  ~Tls();
  std::unique_ptr<Stream> stream(asio::ip::tcp::socket socket) const;

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

}  // namespace eole::gateway
