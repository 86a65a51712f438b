/**
 * Mail, by SMTP or, where none is set up, as files that a developer reads. Addresses and subjects are lines: whatever
 * could begin another header is refused before it gets here, and here again.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createTransport } from 'nodemailer';

/** Plain text. */
export type Letter = { to: string; subject: string; text: string };

export interface Mail {
  /** @throws Error where it can't be sent */
  send(letter: Letter): Promise<void>;
  close(): void;
}

const TIMEOUT_MS = 10_000;
const CONNECTIONS_MAX = 2;
const FILES_MAX = 1_000;

function checked(letter: Letter): Letter {
  for (const line of [letter.to, letter.subject])
    if (/[\r\n\0]/.test(line)) throw new Error('an address or a subject has more than one line');
  return letter;
}

/** @param url `smtp://user:password@host:port`; STARTTLS where the server offers it, `smtps:` from the beginning. */
export function smtpMail(url: string, from: string): Mail {
  const transport = createTransport({
    url,
    pool: true,
    maxConnections: CONNECTIONS_MAX,
    connectionTimeout: TIMEOUT_MS,
    greetingTimeout: TIMEOUT_MS,
    socketTimeout: TIMEOUT_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return {
    send: async ({ to, subject, text }) => void (await transport.sendMail({ from, ...checked({ to, subject, text }) })),
    close: () => transport.close(),
  };
}

/** One file per mail (`*.eml`, readable by their owner alone); of so many the oldest go. */
export function fileMail(folder: string, from: string): Mail {
  const composer = createTransport({ streamTransport: true, buffer: true, newline: 'unix' });
  return {
    async send(letter) {
      const { message } = await composer.sendMail({ from, ...checked(letter) });
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const name = `${new Date().toISOString().replaceAll(':', '')}-${randomBytes(4).toString('hex')}.eml`;
      // Whoever watches the folder sees whole mails only.
      await writeFile(join(folder, `.${name}`), message as Buffer, { mode: 0o600 });
      await rename(join(folder, `.${name}`), join(folder, name));
      const mails = (await readdir(folder)).filter((file) => file.endsWith('.eml') && !file.startsWith('.')).sort();
      for (const old of mails.slice(0, Math.max(0, mails.length - FILES_MAX)))
        await rm(join(folder, old), { force: true });
    },
    close: () => composer.close(),
  };
}
