/**
 * How the story store keeps records of the journal: as they were, deflated, in pieces of bounded size. Pieces of one call
 * may overlap where the journal was read twice; together they are each record once.
 */
import { promisify } from 'node:util';
import { deflateRaw, inflateRaw } from 'node:zlib';
import { DirectoryV1 } from '@opentact/proto';

/** Bytes of a piece before it is deflated, but for its last record, which the journal bounds. */
export const PIECE_BYTES = 1024 * 1024;
/** The journal's largest record and its headers. */
const RECORD_BYTES_MAX = 1024 * 1024;

const deflate = promisify(deflateRaw);
const inflate = promisify(inflateRaw);

export type StoryRecord = DirectoryV1.StoryRecord;
/** A row of the store but for its call. */
export type Piece = { from_seq: number; to_seq: number; raw_bytes: number; records: Buffer };

/** The place of a record in its call's story; undefined where its headers say none. */
export function seqOf({ headers }: { headers: Record<string, string> }): number | undefined {
  const seq = Number(headers.seq);
  return Number.isInteger(seq) && seq > 0 && seq < 2 ** 31 ? seq : undefined;
}

/** Records by their place, each once; of two at one place the first. Those without a place are left out. */
export function inOrder(records: StoryRecord[]): StoryRecord[] {
  const bySeq = new Map<number, StoryRecord>();
  for (const record of records) {
    const seq = seqOf(record);
    if (seq !== undefined && !bySeq.has(seq)) bySeq.set(seq, record);
  }
  return [...bySeq].toSorted(([a], [b]) => a - b).map(([, record]) => record);
}

const sizeOf = ({ headers, bytes }: StoryRecord) =>
  bytes.length + Object.entries(headers).reduce((sum, [name, text]) => sum + name.length + text.length + 8, 8);

/** @param records in order */
export async function piecesOf(records: StoryRecord[]): Promise<Piece[]> {
  const pieces: Piece[] = [];
  for (let at = 0; at < records.length; ) {
    let end = at;
    for (let bytes = 0; end < records.length && bytes < PIECE_BYTES; end++) bytes += sizeOf(records[end]!);
    const some = records.slice(at, end);
    const raw = DirectoryV1.StoryPiece.encode({ records: some }).finish();
    pieces.push({
      from_seq: seqOf(some[0]!)!,
      to_seq: seqOf(some.at(-1)!)!,
      raw_bytes: raw.length,
      records: await deflate(raw),
    });
    at = end;
  }
  return pieces;
}

/** @throws Error where it is no piece of ours */
export async function recordsOf({ records }: Pick<Piece, 'records'>): Promise<StoryRecord[]> {
  const raw = await inflate(records, { maxOutputLength: PIECE_BYTES + 2 * RECORD_BYTES_MAX });
  return DirectoryV1.StoryPiece.decode(raw).records;
}
