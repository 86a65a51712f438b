/** What the database refuses by a constraint, as a refusal of ours. */
import { Refusal } from '../kernel/refusal.ts';

const FOREIGN_KEY = '23503';
const UNIQUE = '23505';

const hasCode = (error: unknown, code: string) => (error as { code?: string }).code === code;

/** There is one already. */
export const isUniqueViolation = (error: unknown): boolean => hasCode(error, UNIQUE);

/** For `catch`: something refers to it (or what it refers to has just gone). @throws Refusal conflict */
export const whileNamed =
  (message: string) =>
  (error: unknown): never => {
    throw hasCode(error, FOREIGN_KEY) ? new Refusal('conflict', message) : error;
  };

/** For `catch`: there is one already. @throws Refusal conflict */
export const whileTaken =
  (message: string) =>
  (error: unknown): never => {
    throw isUniqueViolation(error) ? new Refusal('conflict', message) : error;
  };
