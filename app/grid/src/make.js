// Elements, with their properties and what is in them. Text only ever as text.

const ICONS = {
  undo: "M9 7 4 12l5 5M4 12h10a5 5 0 0 1 0 10h-3",
  redo: "m15 7 5 5-5 5m5-5H10a5 5 0 0 0 0 10h3",
  add: "M12 5v14M5 12h14",
  remove: "M5 7h14M10 7V5h4v2M7 7l1 12h8l1-12M10.5 10.5v5.5M13.5 10.5v5.5",
  story: "M4 12a8 8 0 1 0 2.6-5.9M4 4v4h4M12 8v4.5l3 1.8",
  columns: "M4 5h16v14H4zM9.5 5v14M15 5v14",
};

export function make(tag, { icon, ...properties } = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  if (icon) node.insertAdjacentHTML("afterbegin", `<svg viewBox="0 0 24 24" aria-hidden="true"><path d="${ICONS[icon]}"/></svg>`);
  node.append(...children);
  return node;
}

export function button(icon, label, title, onclick) {
  const text = label ? [make("span", { className: "tl-label", textContent: label })] : [];
  return make("button", { type: "button", icon, title, onclick, ariaLabel: title }, ...text);
}

// Act once nothing more has been typed for a moment.
export function later(owner, act) {
  clearTimeout(owner.timer);
  owner.timer = setTimeout(act, 150);
}
