// Which voice speaks: the one asked for, or the nearest by gender. It refuses nobody: there is always a nearest.

/** What a document may ask for; empty fields leave the choice to us. */
export type VoiceWish = { voice: string; gender: string; lang: string };

/** A voice of the synthesizer. `exact` is false where the wish named another one. */
export type Voice = { code: string; exact: boolean };

/** flite's voices: slt and rms are the clearest of each gender; the others are there by name. */
const VOICES: readonly { code: string; gender: 'MALE' | 'FEMALE'; lang: string }[] = [
  { code: 'slt', gender: 'FEMALE', lang: 'en-US' },
  { code: 'rms', gender: 'MALE', lang: 'en-US' },
  { code: 'awb', gender: 'MALE', lang: 'en-GB' },
  { code: 'kal', gender: 'MALE', lang: 'en-US' },
  { code: 'kal16', gender: 'MALE', lang: 'en-US' },
];

/** The voice for a wish: by code, else by gender and language, else by gender, else slt. */
export function chooseVoice(wish: VoiceWish): Voice {
  const code = wish.voice.trim().toLowerCase();
  if (VOICES.some((voice) => voice.code === code)) return { code, exact: true };
  const gender = wish.gender.trim().toUpperCase() === 'MALE' ? 'MALE' : 'FEMALE';
  const sameGender = VOICES.filter((voice) => voice.gender === gender);
  const sameLanguage = sameGender.find((voice) => voice.lang.toLowerCase() === wish.lang.trim().toLowerCase());
  const nearest = sameLanguage ?? sameGender[0]!;
  return { code: nearest.code, exact: code === '' && (wish.lang.trim() === '' || sameLanguage !== undefined) };
}
