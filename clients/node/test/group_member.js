// A member in a process of its own: tells each value that it has, and commits each.
import { Cluster } from 'eole';

const [name, member] = process.argv.slice(2);
const cluster = new Cluster();
const group = await cluster.group(name, { member, topic: 'shared/#', commits: 'each' });
process.on('message', () => group.close());
for await (const { value } of group) process.send(value);
cluster.close();
process.disconnect();
