/** The addresses that a document asks, and those that lead back to itself. */

import { DOCUMENTS_MAX, NESTED_MAX } from '../domain/document-request.ts';
import type { Element } from '../domain/language/element.ts';
import type { Report } from './finding.ts';
import { everyItem, type Tree } from './tree.ts';

/** An address as it stands in the document. `asked`: fetched as XML or JSON; else a sound. */
export type Address = { url: string; element: Element; attribute: string; asked: boolean };

/** Each address of a document in its order. */
export function addressesOf(tree: Tree): Address[] {
  const found: Address[] = [];
  everyItem(tree, ({ verb, element }) => {
    const add = (url: string, asked: boolean, attribute = 'url') => found.push({ url, element, attribute, asked });
    if (verb?.name === 'Callback' || verb?.name === 'Redirect' || verb?.name === 'Curl') add(verb.url, true);
    if (verb?.name === 'Gather' && verb.remote)
      add(verb.remote.url, true, verb.remote.eachAttempt ? 'callback' : 'url');
    if (verb?.name === 'Play' && verb.item?.kind === 'url') add(verb.item.value, false);
  });
  return found;
}

/** Loops: what the document at `self` asks that is that document again. */
export function checkLoops(tree: Tree, self: string, report: Report): void {
  everyItem(tree, ({ verb, element, name }) => {
    const url =
      verb?.name === 'Gather'
        ? verb.remote?.url
        : verb?.name === 'Callback' || verb?.name === 'Redirect'
          ? verb.url
          : '';
    if (!url || !isSame(url, self)) return;
    const nested = name !== 'Redirect';
    report({
      severity: 'warning',
      rule: 'loop',
      reason: `<${name}> asks for this document again: ${nested ? `it fails when it is ${NESTED_MAX} deep` : `the call ends at the ${DOCUMENTS_MAX}th document`}`,
      remedy: nested
        ? 'let the server answer another document'
        : 'repeat with attempts="…" of a <Gather>, or answer another document',
      at: element,
      attribute: 'url',
    });
  });
}

/** The same document, whatever its query: what the platform appends differs at every round. */
function isSame(a: string, b: string): boolean {
  const plain = (address: string) => {
    const { protocol, host, pathname } = new URL(address);
    let end = pathname.length; // a pattern for what stands at the end begins anew at each slash
    while (pathname[end - 1] === '/') end--;
    return `${protocol}//${host}${pathname.slice(0, end)}`;
  };
  return URL.canParse(a) && URL.canParse(b) && plain(a) === plain(b);
}
