// A phone's media: for the built-in phone (services/phone) and for tests. No other service imports this.

export { wavFile } from '../audio/wav-header.ts';
export { readWav } from '../audio/wav-read.ts';
export { PCMA, PCMU } from '../codec/g711/g711.ts';
export { keyTone, namedTone } from '../dsp/tone.ts';
export { correlate, type Found, resemblance } from './correlate.ts';
export { Heard, type HeardDigit } from './heard.ts';
export { openPeer, type PeerOptions, RtpPeer } from './rtp-peer.ts';
export { spoken } from './spoken.ts';
export { type FoundTone, levelAt, soundsIn, tonesIn } from './tones.ts';
