// Functions that are tasks, and what they know of the run that they are in.
import { BadTask } from './errors.js';

const kKind = Symbol.for('eole.kind'); // Whichever copy of this package made it.
const kNameBytesMax = 255;

/** A run, and what surrounds it. This one is none: a function that was just called. */
export class Run {
  id = null;
  attempt = 0;
  kind = '';
  project = '';
  traceparent = '';
  directory = null;
  signal = new AbortController().signal;

  progress() {}

  log(text) {
    console.error(text);
  }
}

/**
 * Makes a function a task, for `eole-runner-node`: called as ever, it runs here.
 * about: one sentence; args: what it takes, for people and forms: [{name, type, default}].
 */
export function task(name, run, { about = '', args = [] } = {}) {
  const size = Buffer.byteLength(String(name));
  if (typeof name !== 'string' || size < 1 || size > kNameBytesMax || /[\s,\p{Cc}]/u.test(name))
    throw new BadTask(`task ${name}: a name has 1 to ${kNameBytesMax} bytes, without blanks and commas`);
  if (typeof run !== 'function') throw new BadTask(`task ${name}: ${typeof run} is no function`);
  const made = (given, surrounding = new Run()) => run(given, surrounding);
  return Object.assign(made, { [kKind]: { name, about, args } });
}

/** The tasks that modules export, by their names, with what a worker hears of each. */
export function tasksOf(modules) {
  const tasks = new Map();
  for (const run of modules.flatMap(Object.values)) {
    const kind = run?.[kKind];
    if (!kind || tasks.get(kind.name)?.run === run) continue; // Exported under two names.
    if (tasks.has(kind.name)) throw new BadTask(`task ${kind.name}: there are two of this name`);
    const args = kind.args.flatMap(({ name, type = 'any', default: otherwise }) => [
      ...[name, type, otherwise === undefined ? 1 : 0],
      otherwise === undefined ? '' : JSON.stringify(otherwise),
    ]);
    tasks.set(kind.name, { run, fields: [kind.name, kind.about, kind.args.length, ...args] });
  }
  if (tasks.size === 0) throw new BadTask("no tasks: export functions made by task('name', function)");
  return tasks;
}
