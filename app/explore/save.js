// Two buttons that save the chart beside them as it stands in the page. The chart is the SVG of Vega in the element
// whose class `data.chart` names.

const SCALE = 2; // pixels of a PNG to a pixel of the page
const MARGIN = 14; // pixels: outside of the page another font may be wider

function copied(chart) {
  const svg = document.querySelector(`.${CSS.escape(chart)} svg.marks`);
  if (!svg) return null;
  const copy = svg.cloneNode(true);
  const paper = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  const width = svg.viewBox.baseVal.width + 2 * MARGIN;
  const height = svg.viewBox.baseVal.height + 2 * MARGIN;
  const fill = getComputedStyle(svg).backgroundColor;
  for (const [name, value] of Object.entries({ x: -MARGIN, y: -MARGIN, width, height, fill })) {
    paper.setAttribute(name, value);
  }
  copy.insertBefore(paper, copy.firstChild);
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  copy.setAttribute("viewBox", `${-MARGIN} ${-MARGIN} ${width} ${height}`);
  copy.setAttribute("width", width);
  copy.setAttribute("height", height);
  // Gradients and clips are named by the page's address, which the file does not have.
  const text = new XMLSerializer().serializeToString(copy).replace(/url\([^)#]*#/g, "url(#");
  return { text, width, height };
}

function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

async function png({ text, width, height }) {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = width * SCALE;
  canvas.height = height * SCALE;
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((done) => canvas.toBlob(done, "image/png"));
}

export default function ({ parentElement, data }) {
  const box = parentElement.querySelector(".tl-save");
  const [asSvg, asPng] = box.querySelectorAll("button");
  box.title = "";
  const act = async (make, ending) => {
    const chart = copied(data.chart);
    if (chart) save(await make(chart), `${data.name}.${ending}`);
    else box.title = "There is no picture to save.";
  };
  asSvg.onclick = () => act(({ text }) => new Blob([text], { type: "image/svg+xml" }), "svg");
  asPng.onclick = () => act(png, "png");
  asSvg.setAttribute("aria-label", `Save ${data.what} as SVG`);
  asPng.setAttribute("aria-label", `Save ${data.what} as PNG`);
}
