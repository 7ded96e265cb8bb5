import assert from "node:assert/strict";
import { test } from "node:test";
import { fromHTML, fromTSV, read, tiled, toTSV } from "../src/clipboard.js";

test("plain blocks keep every text as it stands", () => {
  assert.deepEqual(fromTSV("12,5\tn/a\n\t 7 \n"), [["12,5", "n/a"], [null, " 7 "]]);
  assert.deepEqual(fromTSV("1\t2\r\n3"), [["1", "2"], ["3", null]]);
  assert.deepEqual(fromTSV("x"), [["x"]]);
  assert.deepEqual(fromTSV("\t"), [[null, null]]);
});

test("a quoted cell may hold line breaks, tabs and quotes", () => {
  assert.deepEqual(fromTSV('"a\nb"\t"say ""hi"""\n"x\ty"\t2'), [["a\nb", 'say "hi"'], ["x\ty", "2"]]);
});

test("a quote that quotes nothing is a character", () => {
  assert.deepEqual(fromTSV('5" net\t"open\n"a" b'), [['5" net', '"open'], ['"a" b', null]]);
});

test("what is copied comes back, null and the empty text apart", () => {
  const block = [[null, '""', "a\nb"], ['"', '5"', "\t"]];
  assert.deepEqual(fromTSV(toTSV(block)), block);
  assert.deepEqual(fromTSV(toTSV([["a"], [null]])), [["a"], [null]]);
  assert.deepEqual(read(JSON.stringify(block), "", "else"), block);
});

test("a table of Google Sheets", () => {
  const html = `<meta charset='utf-8'><google-sheets-html-origin><style>td{}</style><table dir="ltr"><colgroup><col></colgroup>
    <tbody><tr style="height:21px;"><td data-sheets-value="{}">a<br/>b</td><td>say &quot;hi&quot;</td></tr>
    <tr><td></td><td style="x">&lt;5&nbsp;m &#x1F41F; &#233;</td></tr></tbody></table>`;
  assert.deepEqual(fromHTML(html), [["a\nb", 'say "hi"'], [null, "<5 m 🐟 é"]]);
});

test("a table of Excel", () => {
  const html = `<html><head><!-- <table><tr><td>no</td></tr></table> --></head><body>
  <table border=0><!--StartFragment--><col width=64><tr height=20>
   <td height=20 class=xl65>long
   text</td><td align=right>12,5</td></tr><tr><td colspan=2>both</td></tr><!--EndFragment--></table></body></html>`;
  assert.deepEqual(fromHTML(html), [["long text", "12,5"], ["both", null]]);
});

test("the table decides where quotes in plain text are ambiguous, plain text elsewhere", () => {
  const html = '<table><tr><td>"a"</td></tr></table>';
  assert.deepEqual(read("", html, '"a"'), [['"a"']]);
  assert.deepEqual(read("", "<table><tr><td>a</td></tr></table>", " a "), [[" a "]]);
  assert.deepEqual(read("", "<p>none</p>", '"a"'), [["a"]]);
  assert.equal(read("", "", ""), null);
});

test("a table that says something else than the text beside it is not believed", () => {
  const text = '"a"\t1\nb\t2\n';
  assert.deepEqual(read("", '<table><tr><td>"a"</td><td>1</td></tr></table>', text), [["a", "1"], ["b", "2"]]);
  const reaching = '<table><tr><td rowspan="2">"a"</td><td>1</td></tr><tr><td>b</td></tr></table>';
  assert.equal(fromHTML(reaching), null);
  assert.deepEqual(read("", reaching, '"a"\t1\n\tb'), [["a", "1"], [null, "b"]]);
});

test("without text beside it, a table is all there is", () => {
  assert.deepEqual(read("", "<table><tr><td>1</td></tr></table>", ""), [["1"]]);
});

test("what claims to come from a grid and is no block of texts is left", () => {
  for (const odd of ["{", "[]", "[[]]", "[[1]]", '[["a"],["b","c"]]', "null"]) assert.deepEqual(read(odd, "", "x"), [["x"]]);
});

test("line ends of Windows, old Macs and Unix end a row, and the last one begins none", () => {
  for (const end of ["\r\n", "\n", "\r"]) assert.deepEqual(fromTSV(`1\t2${end}3\t"x${end}y"${end}`), [["1", "2"], ["3", `x${end}y`]]);
});

test("large blocks are read at once, whatever quotes they have", () => {
  const lines = Array.from({ length: 5000 }, (_, row) => `"${row}\t5" net\t"a ""b"""\t"open\t${row}`);
  assert.equal(fromTSV(lines.join("\n")).length, 5000);
});

test("a block repeats over a selection that it fits", () => {
  assert.deepEqual(tiled([["1"]], 2, 3), [["1", "1", "1"], ["1", "1", "1"]]);
  assert.deepEqual(tiled([["1", "2"]], 1, 4), [["1", "2", "1", "2"]]);
  assert.deepEqual(tiled([["1"], ["2"]], 3, 1), [["1"], ["2"]]);
});
