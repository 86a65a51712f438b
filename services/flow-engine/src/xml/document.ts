/** The one parser of call-flow documents: our XML reader under the language's rows. */
import { parserOf } from '../domain/language/parse.ts';
import { ROWS } from '../domain/verbs/index.ts';
import { readXml } from './read-xml.ts';

export const parseDocument = parserOf(readXml, ROWS);
