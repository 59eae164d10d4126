// What a Cluster does with groups of readers, but reading.
import { randomBytes } from 'node:crypto';

import { NotFound } from './errors.js';
import { encode } from './values.js';

/** The groups of a cluster: `cluster.groups`. A place is "earliest", "latest", an offset or a Date. */
export class Groups {
  #connection;

  constructor(connection) {
    this.#connection = connection;
  }

  /** Yields all groups by name, as `eole group list --json` has them. */
  async *list() {
    for (let after = ''; after !== null;) {
      const page = await this.#connection.query('queries', 'groups', [0, 0], { after });
      yield* page.groups;
      after = page.next;
    }
  }

  /** Makes a group that reads from there on. One that is there stays as it is; with other partitions it is Refused. */
  async create(group, from = 'latest', partitions = 8) {
    return this.#wish('group_create', { group, partitions, from: await this.#place(from) });
  }

  /** It goes on there. */
  async move(group, to) {
    return this.#existing(group, await this.#wish('group_move', { group, from: await this.#place(to) }));
  }

  /** Forgets it and its cursors; the log stays. */
  async delete(group) {
    return this.#existing(group, await this.#wish('group_delete', { group }));
  }

  /** The member hears that it was removed, and others have its partitions within 7 s. */
  async removeMember(group, member) {
    const answer = this.#existing(group, await this.#wish('group_remove_member', { group, member }));
    if (!answer.removed) throw new NotFound(`member ${member}: group ${group} has none of that name`);
  }

  #existing(group, answer) {
    if (!answer.was_there) throw new NotFound(`group ${group}: there is none`);
    return answer;
  }

  async #place(where) {
    if (!(where instanceof Date)) return where;
    const answer = await this.#connection.query('queries', 'offset_at', [0, 0], { unix_ms: where.getTime() });
    return answer.offset;
  }

  #wish(what, wish) {
    const number = randomBytes(8).readBigUInt64LE() >> 1n; // By its number a copy that comes late is known.
    return this.#connection.answer('queries', 'control', [what, ''], encode({ wish: number, ...wish }));
  }
}
