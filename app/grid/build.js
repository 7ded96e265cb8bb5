// Bundles src/ and SlickGrid into dist/: the same bytes from the same sources.
import { build } from "esbuild";

const browser = ["chrome109", "firefox115", "safari16"];
// The line after which the rest follows also tells Streamlit that this is no path.
const banner = Object.fromEntries(["js", "css"].map((kind) => [kind, "/* Built from src/ by `npm run build`. */"]));
const options = { bundle: true, minify: true, legalComments: "inline", charset: "utf8", target: browser, banner, logLevel: "info" };

await build({ ...options, entryPoints: ["src/main.js"], outfile: "dist/grid.js", format: "esm" });
await build({ ...options, entryPoints: ["src/loader.js"], outfile: "dist/loader.js", format: "esm" });
await build({ ...options, entryPoints: ["src/style.css"], outfile: "dist/grid.css" });
