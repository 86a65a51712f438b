/**
 * Who holds a part of a key: asked of the owner of its partition, once for everyone who waits. A question lives for
 * WAIT_MS and no longer; it is repeated, because an owner that has only just taken a partition may not answer at once.
 */
import type { LinkV1 } from '@opentact/proto';

/** Who holds it. */
export type Holder = { node: string; boot: string };

/** No owner answered in time: nothing is known. */
export class AwayError extends Error {
  override name = 'AwayError';
}

const WAIT_MS = 2_000;
const REPEAT_MS = 250;
/** Whoever asks about more at once is told nothing. */
const QUESTIONS_MAX = 50_000;

type Question = { key: string; part: number; answer: PromiseWithResolvers<Holder | undefined>; stop(): void };

/** @param send says the question to the owner, where there is one. */
export function createQuestions(send: (where: LinkV1.Where) => void) {
  const open = new Map<string, Question>();

  function close(id: string): Question | undefined {
    const question = open.get(id);
    question?.stop();
    open.delete(id);
    return question;
  }
  function begin(key: string, part: number, id: string): Question {
    const ask = () => send({ key, part });
    const repeat = setInterval(ask, REPEAT_MS).unref();
    const late = setTimeout(
      () => close(id)?.answer.reject(new AwayError(`no owner said where ${key}/${part} is`)),
      WAIT_MS,
    ).unref();
    const stop = () => {
      clearInterval(repeat);
      clearTimeout(late);
    };
    const question = { key, part, answer: Promise.withResolvers<Holder | undefined>(), stop };
    question.answer.promise.catch(() => {}); // Whoever asked may have gone.
    open.set(id, question);
    ask();
    return question;
  }
  return {
    ask(key: string, part: number): Promise<Holder | undefined> {
      const id = `${key}/${part}`;
      const known = open.get(id);
      if (known) return known.answer.promise;
      if (open.size >= QUESTIONS_MAX) return Promise.reject(new AwayError('too many questions wait already'));
      return begin(key, part, id).answer.promise;
    },
    answered({ key, part, node, boot }: LinkV1.There): void {
      close(`${key}/${part}`)?.answer.resolve(node === '' ? undefined : { node, boot });
    },
    /** A new owner was found: what waits is asked of it at once. */
    askAgain(isOf: (key: string) => boolean): void {
      for (const { key, part } of open.values()) if (isOf(key)) send({ key, part });
    },
    close(): void {
      for (const id of [...open.keys()]) close(id)?.answer.reject(new AwayError('the link is closed'));
    },
  };
}
