// Small windows over the grid: they close when one clicks elsewhere, or presses Esc.

import { make } from "./make.js";

export class Menu {
  // `owner` is where clicks leave it open: around the button that opens it. `signal` ends it.
  constructor(owner, signal) {
    this.owner = owner;
    this.panel = make("div", { className: "tl-menu", hidden: true });
    const options = { capture: true, signal };
    const isOutside = (node) => !this.panel.contains(node) && !this.owner?.contains(node);
    document.addEventListener("keydown", ({ key }) => key === "Escape" && this.close(), options);
    document.addEventListener("pointerdown", ({ target }) => isOutside(target) && this.close(), options);
  }

  get isOpen() {
    return !this.panel.hidden;
  }

  show(...nodes) {
    this.panel.replaceChildren(...nodes);
    this.panel.hidden = false;
  }

  // With its corner here (pixels in its parent), but all of it in there.
  showAt(x, y, ...nodes) {
    this.show(...nodes);
    const { offsetWidth: width, offsetHeight: height, offsetParent: around } = this.panel;
    const [left, top] = [Math.min(x, around.clientWidth - width - 4), Math.min(y, around.clientHeight - height - 4)];
    Object.assign(this.panel.style, { left: `${Math.max(0, left)}px`, top: `${Math.max(0, top)}px`, right: "auto" });
  }

  close() {
    this.panel.hidden = true;
  }
}
