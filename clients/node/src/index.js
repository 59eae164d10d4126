export { Cluster } from './cluster.js';
export * from './errors.js';
export { Group } from './group.js';
export { Result } from './records.js';
export { signed } from './signing.js';
export { task } from './task.js';
