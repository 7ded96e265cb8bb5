// Hands what Streamlit says on to the grid, as soon as its code (main.js) is there.

export default function hand(component) {
  let cleanup = () => globalThis.removeEventListener("towline-grid", start);
  function start() {
    cleanup = globalThis.towlineGrid(component);
  }
  if (globalThis.towlineGrid) start();
  else globalThis.addEventListener("towline-grid", start, { once: true });
  return () => cleanup();
}
