/**
 * How long production files and functions are. Those that were longer when the rule came stand in `long.json`, which may
 * only shrink: what is new, or grew, is a failure, and so is an entry that is no longer needed. Ends 1 where one is found.
 */
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const FILE_LINES_MAX = 300;
const FUNCTION_LINES_MAX = 60;

const PRODUCTION = ['services/**/src/**/*.ts', 'proto/src/**/*.ts'];
const NOT_PRODUCTION = /\.test\.ts$|\/testing\/|\/testing\.ts$|\/gen\/|node_modules/;

/** Lines of what is too long: a file by its path, a function by `path#name`. */
export type Long = Record<string, number>;

/** What is too long in one file. */
export function longIn(path: string, text: string): Long {
  const long: Long = {};
  const note = (name: string, lines: number, max: number) => {
    if (lines > max) long[name] = Math.max(lines, long[name] ?? 0);
  };
  note(path, text.trimEnd().split('\n').length, FILE_LINES_MAX);
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const lineOf = (at: number) => source.getLineAndCharacterOfPosition(at).line;
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node) && 'body' in node && node.body)
      note(`${path}#${nameOf(node)}`, lineOf(node.end) - lineOf(node.getStart(source)) + 1, FUNCTION_LINES_MAX);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return long;
}

/** Its own name, or of what it is assigned to; a function without either has the name of the one that it stands in. */
function nameOf(node: ts.Node): string {
  for (let at: ts.Node | undefined = node; at; at = at.parent) {
    const { name } = at as { name?: ts.Node };
    if (name && ts.isIdentifier(name) && !ts.isParameter(at)) return name.text;
    if (ts.isConstructorDeclaration(at)) return 'constructor';
  }
  return 'anonymous';
}

/** What is wrong with that tree, a sentence each. */
export function judge(found: Long, allowed: Long): string[] {
  const wrong = Object.entries(found).flatMap(([name, lines]) => {
    const max = allowed[name];
    if (max === undefined) return [`${name} has ${lines} lines: at most ${maxOf(name)}`];
    return lines > max ? [`${name} grew to ${lines} lines, from ${max}`] : [];
  });
  const done = Object.keys(allowed).filter((name) => !(name in found));
  return [...wrong, ...done.map((name) => `${name} is no longer too long: take it out of test/architecture/long.json`)];
}

const maxOf = (name: string) => (name.includes('#') ? FUNCTION_LINES_MAX : FILE_LINES_MAX);

function main(): void {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const list = new URL('long.json', import.meta.url);
  const paths = PRODUCTION.flatMap((pattern) => globSync(`${root}${pattern}`)).map((path) => relative(root, path));
  const found: Long = {};
  for (const path of paths.filter((one) => !NOT_PRODUCTION.test(one)).sort())
    Object.assign(found, longIn(path, readFileSync(root + path, 'utf8')));
  if (process.argv.includes('--write')) {
    writeFileSync(list, `${JSON.stringify(found, null, 2)}\n`);
    return;
  }
  const wrong = judge(found, JSON.parse(readFileSync(list, 'utf8')));
  for (const one of wrong) process.stdout.write(`${one}\n`);
  const functions = Object.keys(found).filter((name) => name.includes('#')).length;
  process.stdout.write(`${functions} functions and ${Object.keys(found).length - functions} files are too long\n`);
  process.exitCode = wrong.length > 0 ? 1 : 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
