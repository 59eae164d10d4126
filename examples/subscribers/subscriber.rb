# Prints how each task ended. Arguments: the address of `notifications` in the cluster file, a topic.
require "ffi-rzmq"
require "json"
$stdout.sync = true
socket = ZMQ::Context.new.socket(ZMQ::SUB)
socket.setsockopt(ZMQ::SUBSCRIBE, ARGV[1])
socket.connect(ARGV[0])
loop do
  socket.recv_strings(frames = [])
  puts JSON.parse(frames[1]).values_at("type", "subject").join(" ")
end
