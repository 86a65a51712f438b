/**
 * For each operation a curl command that works as it stands, in a shell that has `eval "$(npm run -s env)"` behind it. What
 * a path or a body names (`$app`, `$lease`) is asked for first. An operation that such a command would remove something by,
 * or that needs what no shell knows (a mailed token, a SIP user's password), has none. Pure.
 */
import { BODIES, DOCUMENT, MAKERS, OF_OWN_APP, PARAMETERS, SOURCES, UPLOADS, VARIABLES } from './sample-bodies.ts';

type Parameter = { in: string; name: string; required?: boolean };
export type Described = {
  operationId?: string;
  parameters?: Parameter[];
  security?: Array<Record<string, unknown>>;
  requestBody?: { content: Record<string, { example?: unknown }> };
};
type Paths = Record<string, Record<string, Described>>;

const bodyOf = (of: Described | undefined): unknown =>
  of?.requestBody?.content['application/json']?.example ?? BODIES[of?.operationId ?? ''];

const HEADER = '-H "x-auth-token: $OPENTACT_API_KEY"';
const JSON_HEADER = "-H 'content-type: application/json'";
/** The value of the first field of that name in an answer. */
const first = (field: string) => `grep -o '"${field}":"\\?[^",}]*' | head -1 | sed 's/.*:"\\?//'`;

/** Asks for what `name` stands for, by the answer of another operation. */
const asked = (name: string, path: string, more: string, field: string) =>
  `${name}=$(curl -s "$OPENTACT_URL${path}" ${HEADER}${more} | ${first(field)})`;

/** `"…$app…"` within single quotes: the shell's value takes its place. */
const quoted = (text: string) => `'${text.replaceAll("'", "'\\''").replace(/\$([A-Za-z_]+)/g, "'$$$1'")}'`;

/** The command; undefined where the operation has none. */
export function sampleOf(method: string, path: string, of: Described, paths: Paths): string | undefined {
  const id = of.operationId ?? '';
  const [body, upload] = [bodyOf(of), UPLOADS.includes(id)];
  const isSearch = method === 'post' && /\/(search|logs)$/.test(path);
  if (method !== 'get' && body === undefined && !upload && !isSearch) return undefined;
  if (of.security?.some((scheme) => 'ha1b' in scheme)) return undefined;
  if (of.parameters?.some(({ in: place, required }) => place === 'query' && required)) return undefined;
  const lines: string[] = [];
  const filled = filledPath(path, paths, lines, OF_OWN_APP.includes(id));
  if (filled === undefined) return undefined;
  const text = body === undefined ? '' : JSON.stringify(body);
  lines.push(...learned(text));
  return [...lines, command(method, filled, of, upload ? undefined : text)].join('\n');
}

/** What a body names, each by a line that asks for it. */
const learned = (body: string): string[] =>
  [...body.matchAll(/\$([a-z]+)/g)].map(([, name]) => {
    const { path, more, field } = VARIABLES[name!]!;
    return asked(name!, path, more, field);
  });

/** @param body undefined: an upload */
function command(method: string, path: string, of: Described, body: string | undefined): string {
  const isBasic = of.operationId === 'Auth';
  const who = isBasic ? '-u "$OPENTACT_EMAIL:$OPENTACT_PASSWORD"' : of.security?.length === 0 ? '' : HEADER;
  const line = ['curl -s', `"$OPENTACT_URL${path}"`, who].filter((part) => part !== '').join(' ');
  if (body === undefined) return `${line} -F 'file=@-;filename=flow.xml' <<'XML'\n${DOCUMENT}\nXML`;
  const verb = method === 'get' || (method === 'post' && body !== '') ? '' : ` -X ${method.toUpperCase()}`;
  return `${line}${verb}${body === '' ? '' : ` \\\n  ${JSON_HEADER} -d ${quoted(body)}`}`;
}

/** By what the answer is had that names something, and what is asked before. */
type Source = { lines?: string[]; path: string; more: string };

/** The line that makes one of a list, and those before it; undefined where no command can. */
function made(above: string, path: string, paths: Paths): Source | undefined {
  const maker = MAKERS[above];
  const body = bodyOf(paths[maker ?? above]?.post);
  if (body === undefined) return undefined;
  const text = JSON.stringify(body);
  return { lines: learned(text), path: maker ?? path, more: ` ${JSON_HEADER} -d ${quoted(text)}` };
}

/** The path with shell variables for its parameters; undefined where nobody lists what they name. */
function filledPath(path: string, paths: Paths, lines: string[], isOwnApp: boolean): string | undefined {
  let done = '';
  for (const [i, part] of path.split(/\{(\w+)\}/).entries()) {
    if (i % 2 === 0) {
      done += part;
      continue;
    }
    const above = path.slice(0, path.indexOf(`/{${part}}`));
    const fixed = PARAMETERS[`${above}/{${part}}`];
    if (fixed !== undefined) {
      done += fixed;
      continue;
    }
    const list = done.replace(/\/$/, '');
    const known = isOwnApp ? undefined : SOURCES[above];
    if (known === null) return undefined;
    const source: Source | undefined =
      known ?? made(above, list, paths) ?? (paths[above]?.get ? { path: list, more: '' } : undefined);
    if (!source) return undefined;
    lines.push(...(source.lines ?? []));
    lines.push(asked(part, source.path, source.more, part === 'domain' ? 'domain' : 'uuid'));
    done += `$${part}`;
  }
  return done;
}
