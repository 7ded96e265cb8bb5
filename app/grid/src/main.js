// The component's entry. Streamlit sends a component's code along with its data, on every run of the script; so the code
// is a component of its own, whose data never changes, and which is therefore sent once. It leaves `mount` where the
// few lines of the one with the data (loader.js) find it. Those are called whenever the script has run.

import { Outbox } from "./protocol.js";
import { View } from "./view.js";

const GONE = 30_000; // milliseconds that a table which is only to be read is kept off the screen
const PATIENCE = 4000; // milliseconds without an answer until everything is said again; then twice as long, ...
const instances = new Map();
const name = () => Math.random().toString(36).slice(2, 10);

// A grid lives as long as the browser's page, by its key. Streamlit takes it off the screen and puts it back, on another
// page of the app and whenever the connection was lost: what has not been acknowledged must outlive that.
class Instance {
  constructor(key) {
    this.key = key;
    this.root = Object.assign(document.createElement("div"), { className: "tl-root" });
    this.outbox = new Outbox(name);
    this.view = new View(this.root, (event) => this.#happened(event), (place) => this.ask(place), this.outbox.instance);
    this.jumped = null;
    const { signal } = this.view.life;
    window.addEventListener("beforeunload", (event) => this.#unload(event), { signal });
  }

  #unload(event) {
    this.view.commit();
    if (this.outbox.pending.length) event.preventDefault();
  }

  attach(parent) {
    clearTimeout(this.leaving);
    if (this.root.parentNode === parent) return;
    parent.append(this.root);
    this.asked = false;
    this.view.attached();
  }

  // Called late, too: Streamlit ends a call that newer data overtook as soon as that call returns, and then makes the
  // next one. So the grid stays where it is. Where it really leaves the screen, the element around it has left already.
  detach() {
    if (this.root.isConnected) return;
    clearTimeout(this.timer);
    if (this.view.isReadonly) this.leaving = setTimeout(() => this.#end(), GONE); // Python has all of it
  }

  #end() {
    this.view.end();
    instances.delete(this.key);
  }

  receive(answer, { setStateValue, setTriggerValue }) {
    this.ask = (place) => setTriggerValue("story", place); // no event: nothing is typed by it
    this.say = () => setStateValue("log", { ...this.outbox.message(), try: this.tries });
    const todo = this.outbox.receive(answer);
    if (todo.kind === "ask") return this.#ask();
    this.asked = false;
    if (todo.kind === "start") this.view.start(todo.table, todo.state, todo.pending);
    else this.view.go(todo.confirmed, todo.foreign, todo.pending);
    this.view.setMode(Boolean(answer.readonly), Boolean(answer.stories));
    if (answer.marks) this.#mark(answer.marks);
    if (answer.jump && answer.jump.serial !== this.jumped) this.#jump(answer.jump);
    if (todo.kind === "start") this.say(); // so that the table is not sent again
    this.#wait();
  }

  #ask() {
    if (this.asked) return;
    this.asked = true;
    this.say();
  }

  #mark(marks) {
    this.outbox.marks = marks.name;
    this.view.showMarks(marks);
  }

  #jump({ serial, row, column }) {
    this.jumped = serial;
    this.view.jump(row, column);
  }

  #happened(event) {
    this.outbox.push(event);
    this.say();
    this.#wait();
  }

  #wait(patience = PATIENCE) {
    clearTimeout(this.timer);
    const count = this.outbox.pending.length;
    Object.assign(this.root.dataset, { pending: count, version: `${this.outbox.epoch}.${this.outbox.version}` });
    this.view.bar.wait.textContent = count && patience > PATIENCE ? `${count} ${count === 1 ? "edit" : "edits"} on the way…` : "";
    if (count) this.timer = setTimeout(() => this.#again(patience), patience);
  }

  // Saying it again would break off the run that is about to answer.
  #again(patience) {
    if (document.querySelector(".stApp")?.dataset.testScriptState === "running") return this.#wait(patience);
    this.tries = (this.tries ?? 0) + 1;
    this.say();
    this.#wait(Math.min(2 * patience, 60_000));
  }
}

function mount({ data, parentElement, ...setters }) {
  const answer = JSON.parse(new TextDecoder().decode(data));
  const instance = instances.get(answer.key) ?? new Instance(answer.key);
  instances.set(answer.key, instance);
  instance.attach(parentElement);
  instance.receive(answer, setters);
  instance.view.absence.end();
  return () => instance.detach();
}

export default function load() {
  globalThis.towlineGrid = mount;
  globalThis.dispatchEvent(new Event("towline-grid"));
}
