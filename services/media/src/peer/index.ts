// The test phone's media, for the test kit and `npm run call`. Services don't import this.

export { wavFile } from '../audio/wav-header.ts';
export { readWav } from '../audio/wav-read.ts';
export { keyTone, namedTone } from '../dsp/tone.ts';
export { correlate, type Found, resemblance } from './correlate.ts';
export { Heard, type HeardDigit } from './heard.ts';
export { openPeer, type PeerOptions, RtpPeer } from './rtp-peer.ts';
export { type FoundTone, levelAt, soundsIn, tonesIn } from './tones.ts';
