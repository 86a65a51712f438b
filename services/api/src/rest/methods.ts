/** Which methods each path has: a request by another one is told which, as RFC 9110 (15.5.6) asks. */
import type { FastifyInstance } from 'fastify';

/** Learns the routes that are added from now on. @returns the methods of a path, none where there is no such path. */
export function learnMethods(http: FastifyInstance): (path: string) => string[] {
  const routes: Array<{ pattern: RegExp; methods: string[] }> = [];
  http.addHook('onRoute', ({ url, method }) => {
    routes.push({ pattern: patternOf(url), methods: [method].flat() });
  });
  return (path) => {
    const fitting = routes.filter(({ pattern }) => pattern.test(path)).flatMap(({ methods }) => methods);
    return [...new Set(fitting)].sort();
  };
}

/** `/lease/tn/:lease` as a pattern of paths. */
function patternOf(url: string): RegExp {
  const parts = url.split(/(:\w+|\*)/).map((part) => {
    if (part === '*') return '.*';
    return part.startsWith(':') ? '[^/]+' : part.replace(/[.+?^${}()|[\]\\]/g, '\\$&');
  });
  return new RegExp(`^${parts.join('')}$`);
}
