#include "gateway/io/stream.hpp"

#include <sys/socket.h>

#include <array>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>

namespace eole::gateway {

using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr std::size_t kAtOnceBytes = 16 << 10;  // Of a write that waits for nobody's turn.

class TcpStream final : public Stream {
 public:
  explicit TcpStream(tcp::socket socket) : socket_(std::move(socket)) {
    error_code ignored;
    socket_.set_option(tcp::no_delay(true), ignored);
    // Else the kernel takes megabytes for each client that reads slowly.
    socket_.set_option(tcp::socket::send_buffer_size(kSendBufferBytesMax), ignored);
    socket_.non_blocking(true, ignored);
  }
  awaitable<bool> open() override { co_return true; }
  awaitable<std::string> read(std::size_t most) override {
    // Whoever waits holds no buffer: what came is read into one that all share.
    static std::array<char, Exchange::kPieceBytes> shared;
    error_code ec;
    while (true) {
      co_await socket_.async_wait(tcp::socket::wait_read,
                                  asio::redirect_error(asio::use_awaitable, ec));
      if (ec) co_return std::string();
      const auto count = socket_.read_some(asio::buffer(shared, most), ec);
      if (ec == asio::error::would_block) continue;
      co_return ec ? std::string() : std::string(shared.data(), count);
    }
  }
  awaitable<bool> write(std::string_view bytes) override {
    error_code ec;
    if (bytes.size() <= kAtOnceBytes) {  // Mostly there is room: no turn of the loop is needed.
      bytes.remove_prefix(socket_.write_some(asio::buffer(bytes), ec));
      if (ec == asio::error::would_block) ec = {};
      if (ec || bytes.empty()) co_return !ec;
    }
    co_await asio::async_write(socket_, asio::buffer(bytes),
                               asio::redirect_error(asio::use_awaitable, ec));
    co_return !ec;
  }
  awaitable<void> end_writing() override {
    error_code ignored;
    socket_.shutdown(tcp::socket::shutdown_send, ignored);
    co_return;
  }
  void close() override {
    error_code ignored;
    socket_.close(ignored);
  }
  void cancel() override {
    error_code ignored;
    socket_.cancel(ignored);
  }
  bool is_gone() override {
    char next = 0;
    return ::recv(socket_.native_handle(), &next, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
  }

 private:
  tcp::socket socket_;
};

}  // namespace

std::unique_ptr<Stream> clear_stream(tcp::socket socket) {
  return std::make_unique<TcpStream>(std::move(socket));
}

}  // namespace eole::gateway
