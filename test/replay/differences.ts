/** Golden stories in which today's code rightly chooses otherwise: after which facts, and why. Anything else is a fault. */
type Known = { after: number[]; why: string };

const PROMPTS = 'prompts inside a Gather end as verbs of their own since their end is told to customers';
const ANSWERED_FIRST =
  'an app with auto_answer is answered before its first verb, also one that asks a server or rings somebody';

export const DIFFERENCES: Readonly<Record<string, Known>> = {
  'block-record-in-a-gather-branch.story': { after: [14], why: PROMPTS },
  'media-and-edge-lost.story': { after: [15], why: PROMPTS },
  'media-lost-version-1.story': {
    after: [15, 24],
    why: `${PROMPTS}; NodeLost of version 1 ended the call, and none of that version is learned any more`,
  },
  'real-callback.story': { after: [7], why: ANSWERED_FIRST },
  'real-conditions.story': { after: [7], why: ANSWERED_FIRST },
  'real-curl.story': { after: [7, 12], why: ANSWERED_FIRST },
  'real-dial-both.story': { after: [7], why: ANSWERED_FIRST },
  'seed-key-1.story': { after: [22], why: PROMPTS },
  'seed-key-2-busy.story': { after: [22], why: PROMPTS },
  'seed-key-2.story': { after: [22], why: PROMPTS },
  'seed-other-key.story': { after: [22], why: PROMPTS },
  'seed-silence.story': { after: [22, 26], why: PROMPTS },
};
