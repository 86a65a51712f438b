/** Looking at the stack of frames: what comes next, by which path, and what a digit would cut short. */
import type { Flow, Frame, Running } from './call.ts';
import type { Verb } from './language/verb.ts';

/** The path of a verb within its frame: `Gather[0].Case[1].Say[0]`. */
export function pathOf(frame: Frame, verb: Verb): string {
  return join(frame.path, `${verb.name}[${verb.index}]`);
}
/** A path one segment longer. */
export const join = (path: string, segment: string) => (path ? `${path}.${segment}` : segment);

/**
 * The path of a fetched or ordered document within a verb that has verbs of its own: a path names one verb only.
 * What a Callback fetched lies directly below it (contracts.md, language 9), since it has none.
 */
export const responseOf = (path: string): string => join(path, 'Response[0]');

/** The next verb, and the frames as they stand before it; exhausted frames are popped down to a block's opener. */
export function upcoming(flow: Flow): { frames: Frame[]; verb?: Verb; opener?: Running } {
  const frames = [...flow.frames];
  for (let top = frames.at(-1); top; top = frames.at(-1)) {
    const verb = top.verbs[top.next];
    if (verb) return { frames, verb };
    if (top.opener) return { frames, opener: top.opener };
    frames.pop();
  }
  return { frames };
}

/** `VerbEnded.branch` of a block whose own verbs run next: they lie directly below its path. */
export const BLOCK = '.';

/** The verbs of a branch by its segment, as `VerbEnded.branch` names it. */
export function branchOf(verb: Verb, segment: string): Verb[] | undefined {
  if (segment === BLOCK) return 'verbs' in verb ? verb.verbs : undefined;
  if (segment === 'Error[0]') return 'error' in verb ? verb.error : undefined;
  if (verb.name !== 'Gather') return undefined;
  if (segment === 'Default[0]') return verb.default;
  return verb.branches.find((b) => b.segment === segment)?.verbs;
}

const PROMPTS = new Set<Verb['name']>(['Say', 'Play', 'Pause', 'Tone']);

/** How many prompts stand between the running one and the Gather that follows the run; undefined where none does. */
export function runBeforeGather(flow: Flow): number | undefined {
  const top = flow.frames.at(-1);
  if (!flow.running || !top || !PROMPTS.has(flow.running.verb.name)) return undefined;
  let after = top.next;
  while (top.verbs[after] && PROMPTS.has(top.verbs[after]!.name)) after++;
  return top.verbs[after]?.name === 'Gather' ? after - top.next : undefined;
}
