// Parameters behind a semicolon, of headers and of URIs (RFC 3261 25.1: generic-param, uri-parameter).
// It refuses nameless parameters and unbalanced quotes. The order is kept, since some are echoed.

import { GrammarFault, indexOutside, isToken, unquote } from './grammar.ts';

/** `name` is lower case; `value` is raw (quotes included) and absent where there was no `=`. */
export type Param = { readonly name: string; readonly value?: string };
export type Params = readonly Param[];

export const NO_PARAMS: Params = Object.freeze([]);

const PARAMS_MAX = 64;

/** Parses `;a=b;c` (blanks around `;` and `=` allowed, as RFC 3261 25.1 allows in headers). */
export function parseHeaderParams(text: string): Params {
  if (text.length === 0) return NO_PARAMS;
  const params: Param[] = [];
  let start = 0;
  while (start < text.length) {
    if (text.charCodeAt(start) !== 59) throw new GrammarFault('parameter does not begin with a semicolon');
    const end = indexOutside(text, ';', start + 1, false);
    params.push(headerParam(end < 0 ? text.slice(start + 1) : text.slice(start + 1, end)));
    if (params.length > PARAMS_MAX) throw new GrammarFault('too many parameters');
    if (end < 0) break;
    start = end;
  }
  return params;
}

const VALUE = /^(?:[A-Za-z0-9\-.!%*_+`'~[\]:]+|"[\s\S]*")$/;

function headerParam(text: string): Param {
  const equals = text.indexOf('=');
  const name = (equals < 0 ? text : text.slice(0, equals)).trim();
  if (!isToken(name)) throw new GrammarFault(name === '' ? 'parameter has no name' : 'parameter name is not a token');
  if (equals < 0) return { name: name.toLowerCase() };
  const value = text.slice(equals + 1).trim();
  if (!VALUE.test(value)) throw new GrammarFault('parameter value is malformed');
  return { name: name.toLowerCase(), value };
}

/** Parses the parameters of a URI, `;a=b;c`, where no blanks and no quotes may stand. */
export function parseUriParams(text: string): Params {
  if (text.length === 0) return NO_PARAMS;
  const parts = text.slice(1).split(';', PARAMS_MAX + 1);
  if (parts.length > PARAMS_MAX) throw new GrammarFault('too many parameters');
  return parts.map((part) => {
    const equals = part.indexOf('=');
    const name = (equals < 0 ? part : part.slice(0, equals)).toLowerCase();
    if (name === '') throw new GrammarFault('URI parameter has no name');
    return equals < 0 ? { name } : { name, value: part.slice(equals + 1) };
  });
}

/** Raw value of the first parameter of that (lower-case) name; undefined when absent, '' when it has no value. */
export function paramOf(params: Params, name: string): string | undefined {
  for (const param of params) if (param.name === name) return param.value === undefined ? '' : param.value;
  return undefined;
}

/** As `paramOf`, without quotes. */
export function textParamOf(params: Params, name: string): string | undefined {
  const value = paramOf(params, name);
  return value === undefined ? undefined : unquote(value);
}

export function formatParams(params: Params): string {
  let text = '';
  for (const { name, value } of params) text += value === undefined ? `;${name}` : `;${name}=${value}`;
  return text;
}
