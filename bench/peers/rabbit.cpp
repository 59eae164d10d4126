#include <amqp.h>
#include <amqp_tcp_socket.h>

#include "bench/peers/peer.hpp"

namespace eole::peers {

namespace {

/// Durable queues, persistent messages, publisher confirms, acknowledgements by hand.
class Rabbit final : public Peer {
 public:
  explicit Rabbit(const std::string& mode) : connection_(::amqp_new_connection()) {
    auto* socket = ::amqp_tcp_socket_new(connection_);
    if (::amqp_socket_open(socket, "127.0.0.1", server_port()) != 0) fail("rabbitmq: cannot connect");
    check(::amqp_login(connection_, "/", 0, 131072, 0, AMQP_SASL_METHOD_PLAIN, "guest", "guest"));
    ::amqp_channel_open(connection_, 1);
    check(::amqp_get_rpc_reply(connection_));
    amqp_table_entry_t type{};
    type.key = ::amqp_cstring_bytes("x-queue-type");
    type.value.kind = AMQP_FIELD_KIND_UTF8;
    type.value.value.bytes = ::amqp_cstring_bytes(mode.c_str());
    const amqp_table_t arguments{1, &type};
    for (const auto* queue : {"tasks", "results"}) {
      ::amqp_queue_declare(connection_, 1, ::amqp_cstring_bytes(queue), 0, 1, 0, 0, arguments);
      check(::amqp_get_rpc_reply(connection_));
    }
    ::amqp_confirm_select(connection_, 1);
    check(::amqp_get_rpc_reply(connection_));
  }
  ~Rabbit() override { ::amqp_destroy_connection(connection_); }

  void submit(std::uint64_t count) override {
    const std::string body(kBodyBytes, 'x');
    const auto last = published_ + count;
    while (published_ < last) {
      publish("tasks", body);
      while (published_ - confirmed_ >= kWindow) take_frame();
    }
    while (confirmed_ < published_) take_frame();
  }
  // A task is acknowledged once its result was confirmed: both count in order.
  void work(std::uint32_t batch) override {
    consume("tasks", static_cast<std::uint16_t>(batch == 1 ? 1 : 200));
    std::uint64_t acknowledged = 0;
    while (true) {
      while (confirmed_ == acknowledged ||
             (confirmed_ < published_ && confirmed_ < acknowledged + 50))
        take_frame([&](const std::string& body) { publish("results", body); });
      acknowledge(acknowledged = confirmed_);
    }
  }
  void collect(std::uint64_t count) override {
    if (!is_consuming_) consume("results", 1000);
    is_consuming_ = true;
    const auto last = collected_ + count;
    while (collected_ < last)
      take_frame([&](const std::string&) {
        ++collected_;
        if (collected_ % 200 == 0 || collected_ == last) acknowledge(collected_);
      });
  }

 private:
  static void check(const amqp_rpc_reply_t& reply) {
    if (reply.reply_type != AMQP_RESPONSE_NORMAL) fail("rabbitmq: refused");
  }
  void publish(const char* queue, const std::string& body) {
    amqp_basic_properties_t properties{};
    properties._flags = AMQP_BASIC_DELIVERY_MODE_FLAG;
    properties.delivery_mode = 2;
    if (::amqp_basic_publish(connection_, 1, amqp_empty_bytes, ::amqp_cstring_bytes(queue), 0, 0,
                             &properties, {body.size(), const_cast<char*>(body.data())}) != 0)
      fail("rabbitmq: cannot publish");
    ++published_;
  }
  void consume(const char* queue, std::uint16_t prefetch) {
    ::amqp_basic_qos(connection_, 1, 0, prefetch, 0);
    ::amqp_basic_consume(connection_, 1, ::amqp_cstring_bytes(queue), amqp_empty_bytes, 0, 0, 0,
                         amqp_empty_table);
    check(::amqp_get_rpc_reply(connection_));
  }
  void acknowledge(std::uint64_t up_to) {
    if (::amqp_basic_ack(connection_, 1, up_to, 1) != 0) fail("rabbitmq: cannot acknowledge");
  }
  template <class OnBody>
  void take_frame(OnBody&& on_body) {
    ::amqp_maybe_release_buffers(connection_);
    amqp_frame_t frame;
    if (::amqp_simple_wait_frame(connection_, &frame) != 0) fail("rabbitmq: connection ended");
    if (frame.frame_type != AMQP_FRAME_METHOD) return;
    if (frame.payload.method.id == AMQP_BASIC_ACK_METHOD) {
      const auto* ack = static_cast<amqp_basic_ack_t*>(frame.payload.method.decoded);
      confirmed_ = ack->multiple ? ack->delivery_tag : confirmed_ + 1;
    } else if (frame.payload.method.id == AMQP_BASIC_DELIVER_METHOD) {
      amqp_message_t message;
      check(::amqp_read_message(connection_, 1, &message, 0));
      on_body(std::string(static_cast<char*>(message.body.bytes), message.body.len));
      ::amqp_destroy_message(&message);
    }
  }
  void take_frame() {
    take_frame([](const std::string&) {});
  }
  amqp_connection_state_t connection_;
  std::uint64_t published_ = 0;
  std::uint64_t confirmed_ = 0;
  std::uint64_t collected_ = 0;
  bool is_consuming_ = false;
};

}  // namespace

std::unique_ptr<Peer> open_rabbit(const std::string& mode) {
  return std::make_unique<Rabbit>(mode);
}

}  // namespace eole::peers
