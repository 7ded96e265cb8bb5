// Which texts a filter lets through, and how texts are ordered. Pure.
//
//   what is typed           lets through
//   abc                     what contains it, in any case
//   =abc   !=abc   !abc     what is it; what is not; what does not contain it
//   >5  >=5  <5  <=5        what is greater, ... (numbers as numbers, all else as text, so dates as dates)
//   5..10                   what is between, both ends included
//   null   !null            cells without a value; cells with one

const NUMERIC = new Set(["integer", "number"]);
const collator = new Intl.Collator(undefined, { sensitivity: "variant" });

// A test of one column's texts.
export function matcher(filter, type) {
  const asked = filter.trim();
  if (asked === "") return () => true;
  if (asked === "null") return (text) => text === null;
  if (asked === "!null") return (text) => text !== null;
  return range(asked, type) ?? compared(asked, type) ?? negated(asked) ?? contains(asked);
}

function range(asked, type) {
  const ends = /^(\S.*?)\s*\.\.\s*(\S.*)$/.exec(asked);
  if (!ends) return null;
  const [low, high] = [order(ends[1], type), order(ends[2], type)];
  if (low === null || high === null) return null;
  return (text) => within(text, type, (value) => value >= low && value <= high);
}

const TESTS = {
  ">=": (a, b) => a >= b,
  "<=": (a, b) => a <= b,
  ">": (a, b) => a > b,
  "<": (a, b) => a < b,
  "=": (a, b) => a === b,
  "!=": (a, b) => a !== b,
};

function compared(asked, type) {
  const [, sign, rest] = /^(>=|<=|!=|>|<|=)\s*(.*)$/.exec(asked) ?? [];
  if (!sign || !rest) return null;
  const value = order(rest, type);
  const exact = (text) => TESTS[sign](text.toLowerCase(), rest.toLowerCase());
  if (sign.endsWith("=") && sign.length < 3 && "!=".includes(sign[0])) {
    return (text) => (text === null ? sign === "!=" : value === null || order(text, type) === null ? exact(text) : TESTS[sign](order(text, type), value));
  }
  return value === null ? null : (text) => within(text, type, (each) => TESTS[sign](each, value));
}

function negated(asked) {
  if (asked[0] !== "!" || asked.length < 2) return null;
  const test = contains(asked.slice(1));
  return (text) => !test(text);
}

function contains(asked) {
  const wanted = asked.toLowerCase();
  return (text) => text !== null && text.toLowerCase().includes(wanted);
}

function within(text, type, test) {
  const value = text === null ? null : order(text, type);
  return value !== null && test(value);
}

// What a text is compared by: a number in a column of numbers (null where it is none), else the text.
function order(text, type) {
  if (!NUMERIC.has(type)) return text.toLowerCase();
  const value = text.trim() === "" ? NaN : Number(text);
  return Number.isNaN(value) ? null : value;
}

// A test of one cell for the free-text search; null where nothing is searched for.
export function searcher(search) {
  return search.trim() === "" ? null : contains(search.trim());
}

// Numbers by size, all else as text; then what is no number in a column of numbers; null last, whichever way.
export function comparator(type, descending = false) {
  const sign = descending ? -1 : 1;
  const rank = (text) => (text === null ? 2 : NUMERIC.has(type) && order(text, type) === null ? 1 : 0);
  const plain = NUMERIC.has(type)
    ? (a, b) => order(a, type) - order(b, type) || collator.compare(a, b)
    : (a, b) => collator.compare(a, b);
  return (a, b) => {
    const ranks = rank(a) - rank(b);
    if (ranks || a === null) return ranks;
    return sign * (rank(a) === 1 ? collator.compare(a, b) : plain(a, b));
  };
}
