// The service on its link: asks come down as bytes, facts go up as bytes. It refuses events that it can't read, in the log.
import type { EventLog } from '@opentact/event-log';
import { createNodeLink, type LocalEngines, type NodeLink } from '@opentact/link';
import { decodeEvent, encodeEvent } from '@opentact/proto';
import type { Logger } from '@opentact/runtime';
import { createMedia, type MediaOptions } from './create-media.ts';
import type { MediaService } from './media-service.ts';

export type OnLinkOptions = {
  name: string;
  boot: string;
  events: Pick<EventLog, 'partitions' | 'registry'>;
  log: Logger;
  token: string | undefined;
  /** Engines of this process. */
  local?: LocalEngines | undefined;
  media: Omit<MediaOptions, 'engines' | 'log'>;
};

export function mediaOnLink(options: OnLinkOptions): { service: MediaService; link: NodeLink; close(): Promise<void> } {
  const { name, boot, events, log, token, local } = options;
  const { service, close } = createMedia({
    ...options.media,
    log,
    engines: {
      report: (callId, fact) => link.report(callId, encodeEvent(fact)),
      forget: (callId) => link.forget(callId),
    },
  });
  const link = createNodeLink({
    name,
    boot,
    kind: 'media',
    events,
    log,
    ...(token && { token }),
    local,
    load: () => service.loadPercent,
    handlers: {
      ask: ({ payload, account }) => service.ask(decodeEvent(payload), account),
      gone: (callId) => service.gone(callId),
      // Media never begins a story, so none of its own can have begun elsewhere.
      known: () => {},
      hint: (callId, payload, account) =>
        void service
          .hint(callId, decodeEvent(payload), account)
          .catch((err) => log.warn({ callId, err }, 'hint not understood')),
      held: () => service.held(),
    },
  });
  return { service, link, close };
}
