// The voices that can speak, and which of them answers a wish. It refuses nobody: there is always a nearest.

/** A voice as a document may name it (`code`) and as `GET /rest/dict/gtts` lists it. */
export type Voice = {
  code: string;
  name: string;
  gender: 'MALE' | 'FEMALE';
  /** BCP 47. */
  lang: string;
  type: 'Standard' | 'WaveNet';
};

/** What a document may ask for; empty fields leave the choice to us. `kind`: `Standard` or `WaveNet`; absent: either. */
export type VoiceWish = { voice: string; gender: string; lang: string; kind?: string | undefined };

/** The code of the voice that speaks. `exact` is false where the wish named something that isn't there. */
export type ChosenVoice = { code: string; exact: boolean };

/** flite's voices. The first of a gender is its clearest, and speaks where nothing more is asked for. */
export const VOICES: readonly Voice[] = [
  { code: 'slt', name: 'SLT', gender: 'FEMALE', lang: 'en-US', type: 'Standard' },
  { code: 'rms', name: 'RMS', gender: 'MALE', lang: 'en-US', type: 'Standard' },
  { code: 'awb', name: 'AWB', gender: 'MALE', lang: 'en-GB', type: 'Standard' },
  { code: 'kal', name: 'KAL', gender: 'MALE', lang: 'en-US', type: 'Standard' },
  { code: 'kal16', name: 'KAL 16 kHz', gender: 'MALE', lang: 'en-US', type: 'Standard' },
];

const plain = (text: string) => text.trim().toLowerCase();

/** The voice for a wish: by code, else by gender and language, else by gender, else slt. */
export function chooseVoice(wish: VoiceWish): ChosenVoice {
  const [code, lang, kind] = [plain(wish.voice), plain(wish.lang), plain(wish.kind ?? '')];
  const gender = plain(wish.gender) === 'male' ? 'MALE' : 'FEMALE';
  const sameGender = VOICES.filter((voice) => voice.gender === gender);
  const named = VOICES.find((voice) => voice.code === code);
  const spoken = named ?? sameGender.find((voice) => plain(voice.lang) === lang) ?? sameGender[0]!;
  const isNamed = code === '' || named !== undefined;
  const isOfLang = named !== undefined || lang === '' || plain(spoken.lang) === lang;
  const isOfKind = kind === '' || plain(spoken.type) === kind;
  return { code: spoken.code, exact: isNamed && isOfLang && isOfKind };
}
