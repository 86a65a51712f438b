/** Prompts that are heard as one play: those of a Gather's attempt, those of a Hold. */
import type { PlayItem } from '@opentact/proto/events';
import type { Call } from '../call.ts';
import type { Prompt } from '../language/verb.ts';
import { played } from './play.ts';
import { spoken } from './say.ts';

/** Prompts are written out as often as they are heard; together they must stay a small event. */
const PROMPT_CHARACTERS_MAX = 32_768;

/** @throws Refusal where some would never be heard, or all together are too long. */
export function checkPrompts(name: string, prompts: Prompt[], refuse: (reason: string) => never): void {
  if (prompts.length > 1 && prompts.some((p) => p.name !== 'Pause' && p.loop === 0))
    refuse(`loop="0" in a <${name}> is for its only prompt: what follows it would never be heard`);
  const characters = prompts.reduce(
    (sum, p) => sum + (p.name === 'Say' ? p.text.length + 64 : 128) * (p.name === 'Pause' ? 1 : p.loop),
    0,
  );
  if (prompts.length > 1 && characters > PROMPT_CHARACTERS_MAX)
    refuse(`the prompts of this <${name}> repeat to more than ${PROMPT_CHARACTERS_MAX} characters: lower their loop`);
}

/** A prompt as often as it is heard (the parser bounds that); `times` where the play itself repeats. */
export function sounds(prompt: Prompt, call: Call, times?: number): PlayItem[] {
  if (prompt.name === 'Pause') return [{ kind: 'silenceMs', value: prompt.lengthMs }];
  const item = prompt.name === 'Say' ? spoken(prompt) : played(prompt, call);
  return item ? Array.from({ length: times ?? Math.max(1, prompt.loop) }, () => item) : [];
}
