/**
 * Was what was heard what was meant? The same words are spoken by the platform's own synthesiser and looked for in what
 * the phone heard, one after the other. It judges words, not timing.
 */
import assert from 'node:assert/strict';
import { heardOf } from '../../services/media/src/audio/clip.ts';
import { correlate, type Found, PCMU, resemblance } from '../../services/media/src/peer/index.ts';
import { fliteSpeaker } from '../../services/media/src/speech/speaker.ts';

/** Normalised cross-correlation from which two pieces of audio are the same words by the same voice. */
export const SAME = 0.8;

export type Hearing = {
  /** The words as a phone would hear them, 8 kHz. */
  words(text: string, voice?: string): Promise<Int16Array>;
  /** Asserts that the texts were heard, in this order. @returns when each began, ms of what was heard */
  inOrder(heard: Int16Array, texts: string[]): Promise<number[]>;
  /** How alike the best place of `heard` is to the text, 0 … 1. */
  likeness(heard: Int16Array, text: string): Promise<number>;
  close(): Promise<void>;
};

export function openHearing(): Hearing {
  const speaker = fliteSpeaker();
  const spoken = new Map<string, Promise<Int16Array>>();
  const words = (text: string, voice = 'slt') => {
    const key = `${voice} ${text}`;
    const known = spoken.get(key) ?? speaker.speak(text, voice).then((clip) => heardOf(clip, PCMU));
    spoken.set(key, known);
    return known;
  };
  return {
    words,
    async inOrder(heard, texts) {
      const places: number[] = [];
      let fromMs = 0;
      for (const text of texts) {
        const template = await words(text);
        const place = find(heard, template, fromMs);
        assert.ok(
          place.peak >= SAME,
          `"${text}" after ${fromMs} ms: ${place.peak.toFixed(2)} of ${(heard.length / 8000).toFixed(1)} s`,
        );
        places.push(place.atMs);
        fromMs = place.atMs + template.length / 8 - 100;
      }
      return places;
    },
    likeness: async (heard, text) => find(heard, await words(text), 0).peak,
    close: () => speaker.close(),
  };
}

const PROBE_MS = 800;
const AROUND_MS = 100;
const STRETCH_MS = 1_000;
/** From here on a piece may be the one, and all of the words are judged around it. */
const LIKELY = 0.4;

/** The first place at which the words were heard; where they weren't, the place that is most like them. */
function find(heard: Int16Array, template: Int16Array, fromMs: number): Found {
  const middle = Math.max(0, Math.floor((template.length - PROBE_MS * 8) / 2));
  const probe = template.subarray(middle, middle + PROBE_MS * 8);
  let best: Found = { peak: 0, atMs: -1 };
  // Stretch by stretch, since the same words may come again, and better.
  for (let at = Math.round(fromMs) * 8; at + probe.length <= heard.length; at += STRETCH_MS * 8) {
    const piece = correlate(heard.subarray(at, at + STRETCH_MS * 8 + probe.length), probe);
    if (piece.peak < LIKELY) continue;
    const found = judged(heard, template, Math.max(0, at / 8 + piece.atMs - middle / 8 - AROUND_MS));
    if (found.peak >= SAME) return found;
    if (found.peak > best.peak) best = found;
  }
  return best;
}

function judged(heard: Int16Array, template: Int16Array, startMs: number): Found {
  const near = heard.subarray(startMs * 8, startMs * 8 + template.length + 2 * AROUND_MS * 8);
  const whole = correlate(near, template);
  // Through a jitter buffer the pieces may have moved against each other, as no ear would notice.
  const peak = Math.max(whole.peak, resemblance(near, template));
  return { peak, atMs: startMs + Math.max(0, whole.atMs) };
}
