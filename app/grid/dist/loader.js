/* Built from src/ by `npm run build`. */
function l(t){let i=()=>globalThis.removeEventListener("towline-grid",e);function e(){i=globalThis.towlineGrid(t)}return globalThis.towlineGrid?e():globalThis.addEventListener("towline-grid",e,{once:!0}),()=>i()}export{l as default};
