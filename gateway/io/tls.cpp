#include <poll.h>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <stdexcept>

#include "common/base/own_files.hpp"
#include "common/base/text.hpp"
#include "gateway/io/stream.hpp"

namespace eole::gateway {

using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr std::size_t kRecordBytes = 16 << 10;  // No record of TLS has more.

class TlsStream final : public Stream {
 public:
  TlsStream(tcp::socket socket, asio::ssl::context& context) : stream_(std::move(socket), context) {
    error_code ignored;
    stream_.next_layer().set_option(tcp::no_delay(true), ignored);
    stream_.next_layer().set_option(tcp::socket::send_buffer_size(kSendBufferBytesMax), ignored);
  }
  awaitable<bool> open() override {
    error_code ec;
    co_await stream_.async_handshake(asio::ssl::stream_base::server,
                                     asio::redirect_error(asio::use_awaitable, ec));
    co_return !ec;
  }
  awaitable<std::string> read(std::size_t most) override {
    error_code ec;
    std::string bytes(std::min(most, kRecordBytes), '\0');
    const auto count = co_await stream_.async_read_some(
        asio::buffer(bytes), asio::redirect_error(asio::use_awaitable, ec));
    bytes.resize(ec ? 0 : count);
    co_return bytes;
  }
  awaitable<bool> write(std::string_view bytes) override {
    error_code ec;
    co_await asio::async_write(stream_, asio::buffer(bytes),
                               asio::redirect_error(asio::use_awaitable, ec));
    co_return !ec;
  }
  // Until the other side says so, too: who hears it knows that nothing was cut off.
  awaitable<void> end_writing() override {
    error_code ignored;
    co_await stream_.async_shutdown(asio::redirect_error(asio::use_awaitable, ignored));
  }
  void close() override {
    error_code ignored;
    stream_.next_layer().close(ignored);
  }
  void cancel() override {
    error_code ignored;
    stream_.next_layer().cancel(ignored);
  }
  bool is_gone() override {
    pollfd watch{stream_.next_layer().native_handle(), POLLRDHUP, 0};
    return ::poll(&watch, 1, 0) > 0;
  }

 private:
  asio::ssl::stream<tcp::socket> stream_;
};

}  // namespace

struct Tls::Context {
  asio::ssl::context ssl{asio::ssl::context::tls_server};
};

Tls::Tls(const std::string& certificate, const std::string& key)
    : context_(std::make_unique<Context>()) {
  using Ssl = asio::ssl::context;
  auto& ssl = context_->ssl;
  const OwnFiles own;
  error_code ec;
  ssl.set_options(Ssl::default_workarounds | Ssl::no_sslv2 | Ssl::no_sslv3 | Ssl::no_tlsv1 |
                      Ssl::no_tlsv1_1 | Ssl::no_compression | SSL_OP_NO_RENEGOTIATION |
                      SSL_OP_CIPHER_SERVER_PREFERENCE,
                  ec);
  // Of TLS 1.2, which 1.3 is like: keys that nobody can have later, and no CBC, whose padding
  // leaks.
  if (SSL_CTX_set_cipher_list(ssl.native_handle(), "ECDHE+AESGCM:ECDHE+CHACHA20") != 1)
    throw std::runtime_error("TLS: OpenSSL knows none of the ciphers");
  if (!ec) ssl.use_certificate_chain_file(certificate, ec);
  if (ec) throw std::runtime_error(text("certificate ", certificate, ": ", ec.message()));
  ssl.use_private_key_file(key, Ssl::pem, ec);
  if (ec) throw std::runtime_error(text("key ", key, ": ", ec.message()));
}
Tls::~Tls() = default;

std::unique_ptr<Stream> Tls::stream(tcp::socket socket) const {
  return std::make_unique<TlsStream>(std::move(socket), context_->ssl);
}

}  // namespace eole::gateway
