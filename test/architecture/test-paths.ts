/**
 * Finds what production code says of `test/` other than by an import: a path in a string would start or read test code
 * just the same. Comments may say what they like.
 */

/** A string that holds `test/` as the beginning of a path or as a folder in one; `http://a.test/` is neither. */
const INTO_TEST = /(['"`])(?:(?!\1)[^\\\n]|\\.)*?(?<![\w.-])test\/\w(?:(?!\1)[^\\\n]|\\.)*\1?/g;
/** A folder `test` as an argument of its own, as `join` takes it. */
const FOLDER = /[(,]\s*(['"`])test\1\s*[,)]/g;

/** The pieces of a source that lead into `test/`. */
export function testPathsOf(source: string): string[] {
  const code = source.replace(/^\s*(?:\/\/|\/?\*).*$/gm, '');
  return [...code.matchAll(INTO_TEST), ...code.matchAll(FOLDER)].map(([piece]) => piece);
}
