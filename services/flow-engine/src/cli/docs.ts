/** `npm run flow -- docs`: writes the language's pages from its rows. A test fails where they are older. */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { languageMarkdown } from '../docs/markdown.ts';
import { languageSchema } from '../docs/schema.ts';
import { ROWS } from '../domain/verbs/index.ts';
import { out, readArguments } from './terminal.ts';

export const DOCS_HELP = `npm run flow -- docs
    Writes services/flow-engine/LANGUAGE.md and language.schema.json from the rows that the parser reads.
`;

/** @returns the exit code. @throws Misused */
export async function docsCommand(args: string[]): Promise<number> {
  readArguments(args, {}, '');
  for (const [name, text] of Object.entries({
    'LANGUAGE.md': languageMarkdown(ROWS),
    'language.schema.json': languageSchema(ROWS),
  })) {
    const path = fileURLToPath(new URL(`../../${name}`, import.meta.url));
    writeFileSync(path, text);
    out(`wrote ${path}`);
  }
  return 0;
}
