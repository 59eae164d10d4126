// A partition that a member of a group owns, and cursors as they are said of it.
const kCursorBytes = 12; // 4 + 8
const kPartitionsMax = 256;

export class Owned {
  handed = 0; // Behind the last one that was handed out.
  unacknowledged = 0; // So many were handed out since, not yet to be committed.
  isLeaving = false; // Then position is all.

  constructor(offset) {
    // position: all before it was handed out, or lies before what was gone through; wanted: to be committed;
    // committed: as the sink said.
    this.position = this.committed = this.wanted = offset;
  }

  /** All before it was handed out, or is not this partition's. given: all below was gone through. */
  level(given) {
    return this.isLeaving ? this.position : Math.max(this.position, given);
  }

  hearCommitted(offset) {
    this.committed = Math.max(this.committed, offset);
    this.wanted = Math.max(this.wanted, this.committed);
    this.position = Math.max(this.position, this.committed);
  }
}

/** [partition, offset] each, encoded. */
export function cursors(offsets) {
  const raw = Buffer.alloc(kCursorBytes * offsets.length);
  offsets.forEach(([partition, offset], place) => {
    raw.writeUInt32LE(partition, kCursorBytes * place);
    raw.writeBigUInt64LE(BigInt(offset), kCursorBytes * place + 4);
  });
  return raw;
}

/** By partition, of a group that has so many; nothing of what is none. */
export function offsetsIn(raw, partitions) {
  if (!(partitions > 0 && partitions <= kPartitionsMax) || raw.length % kCursorBytes) return undefined;
  const offsets = new Map();
  for (let at = 0; at < raw.length; at += kCursorBytes) {
    const partition = raw.readUInt32LE(at);
    if (partition < partitions) offsets.set(partition, Number(raw.readBigUInt64LE(at + 4)));
  }
  return offsets;
}
