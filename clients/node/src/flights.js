// Messages on their way to the ventilator: sent again under their numbers until answered, so that nothing happens twice.
// Pure: no socket, no clock; `now` is in milliseconds. What clients/cpp/core/submit.hpp decides.
import { NoAnswer, Refused } from './errors.js';
import { head } from './values.js';

const kRepeatMs = 2000;
const kAcceptanceBytes = 20; // 8 + 8 + 4

/** out: messages that are to leave. ended: [request, [origin, first number, count] or an error] each. */
export class Flights {
  out = [];
  ended = [];
  bytes = 0; // Of what is unanswered.
  #run;
  #patienceMs;
  #request = 0;
  #flights = new Map(); // Unanswered, by request, the oldest first.
  #isBroken = false; // The connection, as far as is known.
  #heardAt = 0; // Any answer, or when the first of them went.

  constructor(run, patienceMs) {
    [this.#run, this.#patienceMs] = [run, patienceMs];
  }

  get size() {
    return this.#flights.size;
  }

  /** The request that it is. */
  submit(payload, count, key, now) {
    if (this.size === 0) this.#heardAt = now;
    const request = (this.#request += 1);
    const [oldest = request] = this.#flights.keys();
    const frames = [head('submit', this.#run, request, oldest - 1, key, count), payload];
    this.#flights.set(request, { frames, count, sentAt: now });
    this.bytes += payload.length;
    this.out.push(frames);
    return request;
  }

  onAccepted(origin, payload, now) {
    this.#heardAt = now;
    for (let at = 0; at + kAcceptanceBytes <= payload.length; at += kAcceptanceBytes) {
      const request = Number(payload.readBigUInt64LE(at));
      const count = payload.readUInt32LE(at + 16);
      if (this.#flights.get(request)?.count === count)
        this.#end(request, [origin, Number(payload.readBigUInt64LE(at + 8)), count]);
    }
  }

  /** Request zero: whichever was meant. */
  onRefused(fields, now) {
    this.#heardAt = now;
    const [, , request] = fields;
    const error = Refused.by('ventilator', fields);
    if (request === 0) this.endAll(error);
    else if (this.#flights.has(request)) this.#end(request, error);
  }

  onBroken() {
    this.#isBroken = true;
  }

  /** What was on its way when the connection broke may be lost. */
  onStanding(now) {
    if (this.#isBroken) this.#repeat(0, now);
    this.#isBroken = false;
  }

  onDeadline(now) {
    if (this.size && now >= this.#heardAt + this.#patienceMs)
      this.endAll(
        NoAnswer.within('ventilator', this.#patienceMs, 'whether the last tasks were accepted is not known: '),
      );
    this.#repeat(kRepeatMs, now);
  }

  endAll(error) {
    for (const request of [...this.#flights.keys()]) this.#end(request, error);
  }

  #repeat(ageMs, now) {
    for (const flight of this.#flights.values()) {
      if (now < flight.sentAt + ageMs) continue;
      flight.sentAt = now;
      this.out.push(flight.frames);
    }
  }

  #end(request, cameTo) {
    this.bytes -= this.#flights.get(request).frames[1].length;
    this.#flights.delete(request);
    this.ended.push([request, cameTo]);
  }
}
