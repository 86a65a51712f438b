/** The one public view of a call: the fold from its story, and the object that customers are shown. Types of events only. */
export { boundedAttribution } from './attribution.ts';
export {
  type CallObject,
  callObject,
  directionOf,
  legUuid,
  secondsOf,
  toOf,
  wholeCallObject,
} from './call-object.ts';
export { type Change, type Folded, foldCall, isDestroyed, UNSEEN } from './fold.ts';
export { iso } from './iso.ts';
export { type LegState, legOf, type PublicCall, type PublicLeg, SAMPLE } from './public-call.ts';
export { isAwaited, type RecordingUnderWay } from './under-way.ts';
