// Prints how each task ended. Arguments: the address of `notifications` in the cluster file, a topic.
import { Subscriber } from 'zeromq';
const socket = new Subscriber();
socket.subscribe(process.argv[3]);
socket.connect(process.argv[2]);
for await (const [, event] of socket) {
  const { type, subject } = JSON.parse(event);
  console.log(type, subject);
}
