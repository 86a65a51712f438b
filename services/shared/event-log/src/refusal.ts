/** What no adapter could keep. Asked before a record enters a batch, so that a batch fails only as fenced or unavailable. */
import type { NewRecord } from './port.ts';

const KEY_LENGTH_MAX = 200;
const HEADERS_LENGTH_MAX = 4096;
const RECORD_BYTES_MAX = 1024 * 1024;

// A lone surrogate has no UTF-8 form, and PostgreSQL's text holds no NUL.
const storable = (text: string) => text.isWellFormed() && !text.includes('\0');

/** Why the log can't keep this record; undefined where it can. */
export function refusalOf(record: NewRecord): string | undefined {
  if (record.key.length > KEY_LENGTH_MAX) return `key of ${record.key.length} characters`;
  if (!storable(record.key)) return 'key that is no UTF-8 text';
  const headers = JSON.stringify(record.headers);
  if (headers.length > HEADERS_LENGTH_MAX) return `headers of ${headers.length} characters`;
  if (!Object.entries(record.headers).flat().every(storable)) return 'header that is no UTF-8 text';
  if (record.bytes.byteLength > RECORD_BYTES_MAX) return `${record.bytes.byteLength} bytes`;
  return undefined;
}
