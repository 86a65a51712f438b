// Words for a phone to say, by the platform's own synthesiser. It keeps none of them.
import { heardOf } from '../audio/clip.ts';
import { PCMU } from '../codec/g711/g711.ts';
import { fliteSpeaker } from '../speech/speaker.ts';

/** The text as 8 kHz samples, spoken by `voice` (a code of `chooseVoice`). */
export async function spoken(text: string, voice = 'slt'): Promise<Int16Array> {
  const speaker = fliteSpeaker();
  try {
    return heardOf(await speaker.speak(text, voice), PCMU);
  } finally {
    await speaker.close();
  }
}
