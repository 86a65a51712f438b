/** What an attack is, and what is printed of it. */
import type { Arena } from './arena.ts';

/** `sent` and `did` are read by people: what went to the platform, and what it did about it. */
export type Verdict = { sent: string; did: string; ok: boolean };

export type Attack = {
  /** The item of services/SECURITY.md that it tries. */
  item: string;
  name: string;
  /** Also part of `npm test`: it takes seconds. */
  short?: true;
  /** It kills processes of ours: until others have taken over, callers wait, and what they wait is not judged. */
  kills?: true;
  /** It wants the platform that has a trunk, which is started before anything is timed. */
  trunked?: true;
  run(arena: Arena): Promise<Verdict>;
};
