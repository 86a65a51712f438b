/**
 * Reads a whole environment at once against variables that are declared once. It refuses a bad one with every fault
 * together, each naming its variable; nothing else in a service looks at `process.env`.
 */

/** One variable: its name, its default as it would be written, how to read it, and one line of help. */
export type Variable<T> = {
  name: string;
  /** Text that is parsed where the variable is unset or empty; `undefined`: the value is then `undefined`. */
  fallback: string | undefined;
  /** Turns text into the value. @throws Error whose message completes “NAME …”. */
  parse(text: string): T;
  help: string;
  /** Its value is never printed. */
  secret?: boolean;
};

export type Variables = Record<string, Variable<unknown>>;
export type Values<V extends Variables> = { [K in keyof V]: V[K] extends Variable<infer T> ? T : never };
export type Environment = Record<string, string | undefined>;

/** A bad environment: `faults` holds one sentence per variable. */
export class ConfigError extends Error {
  override name = 'ConfigError';
  readonly faults: string[];
  constructor(faults: string[]) {
    super(`bad environment:\n${faults.map((f) => `  ${f}`).join('\n')}`);
    this.faults = faults;
  }
}

/** Declares a variable that always has a value. */
export function variable<T>(
  name: string,
  fallback: string,
  parse: (text: string) => T,
  help: string,
  options: { secret?: boolean } = {},
): Variable<T> {
  return { name, fallback, parse, help, ...options };
}

/** Declares a variable that may be absent; its value is then `undefined`. */
export function optional<T>(
  name: string,
  parse: (text: string) => T,
  help: string,
  options: { secret?: boolean } = {},
): Variable<T | undefined> {
  return { name, fallback: undefined, parse, help, ...options };
}

/**
 * The values of all variables.
 * @param check what must hold between variables; each string is one more fault.
 * @throws ConfigError with every fault at once.
 */
export function readConfig<V extends Variables>(
  variables: V,
  environment: Environment,
  check: (values: Values<V>) => string[] = () => [],
): Values<V> {
  const values: Record<string, unknown> = {};
  const faults: string[] = [];
  for (const [key, { name, fallback, parse, secret }] of Object.entries(variables)) {
    const text = environment[name] || fallback;
    if (text === undefined) continue;
    try {
      values[key] = parse(text);
    } catch (fault) {
      faults.push(`${name} ${(fault as Error).message}${secret ? '' : ` (it is ${JSON.stringify(text)})`}`);
    }
  }
  // Only a whole reading can be checked across; half of one would blame variables that are right.
  if (faults.length === 0) faults.push(...check(values as Values<V>));
  if (faults.length > 0) throw new ConfigError(faults);
  return values as Values<V>;
}

/** The list of variables for `--help`, one paragraph each. */
export function helpText(variables: Variables): string {
  const width = Math.max(...Object.values(variables).map((v) => v.name.length)) + 2;
  return Object.values(variables)
    .map(({ name, fallback, help }) => {
      const preset = fallback === undefined ? 'unset' : fallback || 'empty';
      return `  ${name.padEnd(width)}${help}\n  ${''.padEnd(width)}[${preset}]`;
    })
    .join('\n');
}
