// Keys that are pressed while the grid is off the screen for a moment: Streamlit takes everything off and puts it back
// when a lost connection is there again. Who types goes on typing, and nothing of it may be lost.

const PATIENCE = 2000; // milliseconds; who is off the screen for longer has gone to another page

export class Absence {
  constructor(view) {
    this.view = view;
    this.keys = [];
    this.until = null;
    document.addEventListener("keydown", (event) => this.#keep(event), { capture: true, signal: view.life.signal });
  }

  // It is back: press the keys again, one by one.
  end() {
    const keys = this.keys;
    this.keys = [];
    this.until = null;
    for (const key of keys) press(key);
  }

  #keep(event) {
    const { root, hasKeyboard } = this.view;
    if (!hasKeyboard || root.isConnected || event.target !== document.body) return;
    this.until ??= performance.now() + PATIENCE; // nobody says when the grid leaves; the first key without it is as good
    if (performance.now() > this.until) return;
    const { key, code, ctrlKey, metaKey, shiftKey, altKey } = event;
    this.keys.push({ key, code, ctrlKey, metaKey, shiftKey, altKey });
    event.preventDefault();
  }
}

// A key that a script presses writes nothing by itself.
function press({ key, ...others }) {
  const target = document.activeElement ?? document.body;
  const isTaken = !target.dispatchEvent(new KeyboardEvent("keydown", { key, ...others, bubbles: true, cancelable: true }));
  if (!isTaken && [...key].length === 1 && !others.ctrlKey && !others.metaKey && !others.altKey) document.execCommand("insertText", false, key);
}
