// How events reach Python without any being lost, doubled or put out of order. Pure.
//
// Python holds one list of all events of an epoch, in their order; its length is the version. An instance of the grid
// holds a prefix of that list (`version` events of it) and its own events that it has not seen in the list yet
// (`pending`), numbered 1, 2, 3, ... over its whole life. It always sends all of them. Python takes each number once,
// and in order; its answer is what the list has beyond the prefix. Own events come back as [number, how many]: they
// are known here. Events of others (a button of the page, an instance that is gone) come back whole; they happened
// before what is pending, whatever it looked like here.
//
// message {instance, epoch, seen, have, marks, events: [[number, event]]}       have: whether the epoch's table is here
// answer  {to, epoch, version, since, entries, acked, table?, state?, ...}
//         with `state` (and `table`, for an instance without one) in place of entries where the instance starts anew.

export class Outbox {
  // `name` makes the names of instances, each used once.
  constructor(name) {
    this.name = name;
    this.instance = name();
    this.epoch = null;
    this.version = 0;
    this.marks = null;
    this.pending = [];
    this.last = 0;
  }

  push(event) {
    this.last += 1;
    this.pending.push([this.last, event]);
  }

  message() {
    const { instance, epoch, version, marks, pending } = this;
    return { instance, epoch, seen: version, have: epoch !== null, marks, events: pending.map((each) => [...each]) };
  }

  // Take in an answer. Returns what is to be done:
  //   {kind: "ask"}                        send a message: this answer is no use here
  //   {kind: "start", table?, state, pending}   begin with this state, and the pending events on top of it
  //   {kind: "go", confirmed, foreign, pending}  these events are in the list now, in this order; `foreign`: some of
  //                                        them did not happen here, so what is pending must be applied anew
  receive(answer) {
    if (answer.to !== this.instance && (this.last > 0 || !answer.state)) return { kind: "ask" };
    if (answer.state) return this.#start(answer);
    if (answer.epoch !== this.epoch || answer.since > this.version) return { kind: "ask" };
    return this.#go(answer);
  }

  #start(answer) {
    if (!answer.table && answer.epoch !== this.epoch) return { kind: "ask" };
    if (answer.epoch === this.epoch && answer.version <= this.version) return this.#go({ ...answer, entries: [] });
    this.epoch = answer.epoch;
    this.version = answer.version;
    this.#drop(answer.to === this.instance ? answer.acked : 0);
    if (this.pending.length && this.pending[0][0] !== answer.acked + 1) this.#rename();
    return { kind: "start", table: answer.table, state: answer.state, pending: this.#events() };
  }

  #go({ since, entries }) {
    const confirmed = [];
    let foreign = false;
    let version = since;
    for (const entry of entries) {
      if (Array.isArray(entry)) {
        version += entry[1];
        confirmed.push(...this.#drop(entry[0]));
      } else {
        version += 1;
        if (version <= this.version) continue;
        confirmed.push(entry);
        foreign = true;
      }
    }
    this.version = Math.max(this.version, version);
    return { kind: "go", confirmed, foreign, pending: this.#events() };
  }

  // Python knows this instance no more (it was started again): what is pending comes from a new one.
  #rename() {
    this.instance = this.name();
    this.pending = this.pending.map(([, event], place) => [place + 1, event]);
    this.last = this.pending.length;
  }

  #drop(number) {
    const done = this.pending.filter(([each]) => each <= number);
    this.pending = this.pending.filter(([each]) => each > number);
    return done.map(([, event]) => event);
  }

  #events() {
    return this.pending.map(([, event]) => event);
  }
}
