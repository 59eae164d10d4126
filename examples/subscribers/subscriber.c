#include <stdio.h>
#include <string.h>
#include <zmq.h>
int main(int count, char** words) {  /* The address of notifications in the cluster file, a topic. */
  void* socket = zmq_socket(zmq_ctx_new(), ZMQ_SUB);
  if (count < 3 || zmq_setsockopt(socket, ZMQ_SUBSCRIBE, words[2], strlen(words[2])) != 0 || zmq_connect(socket, words[1]) != 0) return 2;
  for (char event[65536];;) {
    zmq_recv(socket, event, sizeof event, 0);
    const int size = zmq_recv(socket, event, sizeof event, 0);
    if (size >= 0) printf("%.*s\n", size < (int)sizeof event ? size : (int)sizeof event, event), fflush(stdout);
  }
}
