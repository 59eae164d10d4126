// A subscriber that counts: the messages under TOPIC of the address of a cluster's notifications.
//   eole-bench-events ADDRESS TOPIC COUNT
// Prints "listening" once the subscription stands; ends with COUNT of them, or two seconds after
// the last, and prints one JSON object: events, bytes, and seconds from the first to the last.
#include <zmq.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

constexpr int kSilenceMs = 2000;

/// One message of two or more frames; of the last frame the size. False: nothing came in time.
bool take(void* socket, zmq_msg_t& frame, bool& is_head, std::size_t& bytes) {
  if (::zmq_msg_recv(&frame, socket, 0) < 0) return false;
  is_head = ::zmq_msg_size(&frame) == 4 && std::memcmp(::zmq_msg_data(&frame), "head", 4) == 0;
  while (::zmq_msg_more(&frame)) ::zmq_msg_recv(&frame, socket, 0);
  bytes = ::zmq_msg_size(&frame);
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  using Clock = std::chrono::steady_clock;
  if (argc != 4) return std::fputs("eole-bench-events ADDRESS TOPIC COUNT\n", stderr), 2;
  const auto wanted = std::strtoull(argv[3], nullptr, 10);
  void* socket = ::zmq_socket(::zmq_ctx_new(), ZMQ_SUB);
  const int no_bound = 0;
  ::zmq_setsockopt(socket, ZMQ_RCVHWM, &no_bound, sizeof no_bound);
  ::zmq_setsockopt(socket, ZMQ_SUBSCRIBE, argv[2], std::strlen(argv[2]));
  ::zmq_setsockopt(socket, ZMQ_SUBSCRIBE, "head", 4);
  if (::zmq_connect(socket, argv[1]) != 0) return std::perror("eole-bench-events"), 3;
  zmq_msg_t frame;
  ::zmq_msg_init(&frame);
  bool is_head = false;
  std::size_t size = 0;
  while (!is_head) take(socket, frame, is_head, size);
  std::puts("listening");
  std::fflush(stdout);
  ::zmq_setsockopt(socket, ZMQ_UNSUBSCRIBE, "head", 4);
  unsigned long long events = 0;
  unsigned long long bytes = 0;
  Clock::time_point first;
  Clock::time_point last;
  const auto wait = [&](int milliseconds) {
    ::zmq_setsockopt(socket, ZMQ_RCVTIMEO, &milliseconds, sizeof milliseconds);
  };
  wait(-1);
  while (events < wanted && take(socket, frame, is_head, size)) {
    if (is_head) continue;
    if (events++ == 0) {
      first = Clock::now();
      wait(kSilenceMs);
    }
    bytes += size;
    last = Clock::now();
  }
  const std::chrono::duration<double> took = last - first;
  std::printf("{\"events\":%llu,\"bytes\":%llu,\"seconds\":%.3f}\n", events, bytes, took.count());
  return 0;
}
