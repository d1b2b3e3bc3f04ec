/**
 * Orders names by their bytes as UTF-8, which is the order of their code points and of SQLite's
 * BINARY collation. JavaScript's `<` compares UTF-16 units instead, and so puts a character above
 * U+FFFF, which is a pair of surrogates (U+D800–U+DFFF), before U+E000–U+FFFF.
 */

const surrogateFirst = 0xd800;
const surrogateLast = 0xdfff;

/** Negative if `a` comes first, positive if `b` does, 0 if they are equal. */
export function compareName(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const unitA = a.charCodeAt(i);
    const unitB = b.charCodeAt(i);
    if (unitA === unitB) continue;
    // Of a surrogate and another unit the surrogate is the greater: it stands for U+10000 or more.
    return Number(isSurrogate(unitA)) - Number(isSurrogate(unitB)) || unitA - unitB;
  }
  return a.length - b.length;
}

function isSurrogate(unit: number): boolean {
  return unit >= surrogateFirst && unit <= surrogateLast;
}
