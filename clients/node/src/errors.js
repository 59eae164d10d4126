/** What can go wrong, by name. Every error is an EoleError; the text says what, which, why and the limit. */
export class EoleError extends Error {
  /** Of an error in submit: the tasks that were accepted nevertheless. */
  ids = [];
  get name() {
    return this.constructor.name;
  }
}

/** A role said nothing for as long as the cluster's patience. */
export class NoAnswer extends EoleError {
  static within(who, ms, first = '') {
    return new NoAnswer(
      `${first}no answer from the ${who} within ${ms / 1000} s: is it running, and may this key connect?`,
    );
  }
}
/** A role refused a message; the text says why. code: of which sort, or '' (docs/protocol.md); retryAfter: seconds
 * before which it makes no sense to say it again, 0: not known. */
export class Refused extends EoleError {
  constructor(text, code = '', retryAfter = 0) {
    super(text);
    this.code = code;
    this.retryAfter = retryAfter;
  }
  /** What the fields of a `refused` say. */
  static by(who, [, , , reason, code = '', retryAfterMs = 0]) {
    return new Refused(`the ${who}: ${reason}`, code, Number(retryAfterMs) / 1000);
  }
}
/** The cluster file is missing, unreadable, open to others or not one. */
export class BadClusterFile extends EoleError {}
/** A task cannot be submitted as it is. */
export class BadTask extends EoleError {}
/** No such task, or no such group. */
export class NotFound extends EoleError {}
/** The sink has another log now: what was not read yet is gone. Reading on begins at its start. */
export class LogReplaced extends EoleError {}
/** What came is not what was asked for. */
export class Damaged extends EoleError {}
/** A task is to end now. */
export class Cancelled extends EoleError {}
/** The cluster was closed meanwhile. */
export class Closed extends EoleError {}

/** The log is not kept any more where it was to be read. keptFrom: the offset of the oldest result that is. */
export class Gone extends EoleError {
  constructor(text, keptFrom) {
    super(text);
    this.keptFrom = keptFrom;
  }
  /** Of records of these offsets. */
  static notKept(what, first, last) {
    return first === last
      ? `1 ${what}, offset ${first}, is not kept any more`
      : `${last - first + 1} ${what}s, offsets ${first} to ${last}, are not kept any more`;
  }
}

/** Thrown in a task: another attempt makes no sense sooner than `after` seconds. */
export class Retry extends EoleError {
  constructor(text = 'to be tried again', after = 0) {
    super(text);
    this.after = after;
  }
}
