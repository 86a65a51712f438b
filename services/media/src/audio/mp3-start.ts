// Where the first whole frame of an MP3 file lies. Tags, padding and a cut frame may come before it: what a decoder would
// step over is no reason to refuse. It refuses what holds no two frames that follow each other.

/** How far behind its tags a file may begin. */
const SEARCH_BYTES_MAX = 1 << 20;

/** kbit/s by index, for (MPEG-1 layers I, II, III) and (MPEG-2 and 2.5 layer I, layers II and III). */
const BIT_RATES = [
  [0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
  [0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
  [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  [0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
  [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
] as const;
const RATES = [44_100, 48_000, 32_000] as const;

type Frame = { bytes: number; kind: number };

/** Offset of the first frame; -1 where there is none. */
export function findMp3(bytes: Buffer): number {
  const from = behindTags(bytes);
  const until = Math.min(bytes.length - 4, from + SEARCH_BYTES_MAX);
  for (let at = bytes.indexOf(0xff, from); at >= 0 && at <= until; at = bytes.indexOf(0xff, at + 1))
    if (isFollowed(bytes, at)) return at;
  return -1;
}

/** Behind ID3v2 tags (there may be several), whose size is four times seven bits. */
function behindTags(bytes: Buffer): number {
  let at = 0;
  while (at + 10 <= bytes.length && bytes.toString('latin1', at, at + 3) === 'ID3') {
    const size = [6, 7, 8, 9].reduce((sum, n) => sum * 128 + (bytes[at + n]! & 127), 0);
    at += 10 + size + (bytes[at + 5]! & 0x10 ? 10 : 0);
  }
  return at;
}

/** A frame whose next one is of its kind, or that is the file's last. */
function isFollowed(bytes: Buffer, at: number): boolean {
  const frame = frameAt(bytes, at);
  if (!frame) return false;
  const next = at + frame.bytes;
  if (next === bytes.length || bytes.toString('latin1', next, next + 3) === 'TAG') return true;
  return frameAt(bytes, next)?.kind === frame.kind;
}

function frameAt(bytes: Buffer, at: number): Frame | undefined {
  if (at + 4 > bytes.length || bytes[at] !== 0xff || (bytes[at + 1]! & 0xe0) !== 0xe0) return undefined;
  const version = (bytes[at + 1]! >> 3) & 3; // 0: 2.5, 2: 2, 3: 1
  const layer = 4 - ((bytes[at + 1]! >> 1) & 3);
  const rateIndex = (bytes[at + 2]! >> 2) & 3;
  if (version === 1 || layer === 4 || rateIndex === 3) return undefined;
  const table = version === 3 ? layer - 1 : layer === 1 ? 3 : 4;
  const kbits = BIT_RATES[table]![bytes[at + 2]! >> 4] ?? 0;
  if (kbits === 0) return undefined;
  const rate = RATES[rateIndex]! / (version === 3 ? 1 : version === 2 ? 2 : 4);
  const padding = (bytes[at + 2]! >> 1) & 1;
  const samples = layer === 1 ? 384 : layer === 3 && version !== 3 ? 576 : 1152;
  const slot = layer === 1 ? 4 : 1;
  const length = (Math.floor((samples * kbits * 125) / rate / slot) + padding) * slot;
  return { bytes: length, kind: (bytes[at + 1]! & 0xfe) * 4 + rateIndex };
}
