/**
 * Comma-separated values as a stream of records (RFC 4180): quotes, doubled quotes, line ends within quotes, CRLF or LF.
 * It refuses a quote that is never closed or stands within a plain field, and records without end.
 */

/** `line`: where the record begins, from 1. */
export type CsvRecord = { line: number; fields: string[] };

/** The file can't be read as CSV; the message names the line. */
export class CsvError extends Error {
  override name = 'CsvError';
}

const RECORD_LENGTH_MAX = 64 * 1024;

type Place = 'start' | 'plain' | 'quoted' | 'quote';

/** @throws CsvError */
export async function* csvRecords(chunks: AsyncIterable<string>): AsyncGenerator<CsvRecord> {
  let place: Place = 'start';
  let [line, begun, length] = [1, 1, 0];
  let field = '';
  let fields: string[] = [];
  let isFirst = true;

  const endField = () => {
    fields.push(field);
    field = '';
    place = 'start';
  };
  /** Undefined where the line was empty. */
  const endRecord = (): CsvRecord | undefined => {
    const isEmpty = fields.length === 0 && field === '' && place === 'start';
    endField();
    const record = { line: begun, fields };
    fields = [];
    [begun, length] = [line, 0];
    return isEmpty ? undefined : record;
  };

  for await (const chunk of chunks) {
    for (const character of isFirst ? chunk.replace(/^\uFEFF/, '') : chunk) {
      if (++length > RECORD_LENGTH_MAX) throw new CsvError(`line ${begun}: the record is too long`);
      if (character === '\n') line++;
      if (place === 'quoted') {
        if (character === '"') place = 'quote';
        else field += character;
      } else if (character === '"' && place === 'quote') {
        field += '"';
        place = 'quoted';
      } else if (character === '"' && place === 'start') place = 'quoted';
      else if (character === ',') endField();
      else if (character === '\n') {
        const record = endRecord();
        if (record) yield record;
      } else if (character === '\r') continue;
      else if (character === '"' || place === 'quote') {
        throw new CsvError(`line ${line}: a quote stands where none may stand`);
      } else {
        field += character;
        place = 'plain';
      }
    }
    isFirst = false;
  }
  if (place === 'quoted') throw new CsvError(`line ${begun}: a quote is never closed`);
  const last = endRecord();
  if (last) yield last;
}
