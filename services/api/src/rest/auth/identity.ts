/** Who a request comes from, once it is known. */

/** Every row that a request touches belongs to this account. */
export type Identity = {
  userId: string;
  accountId: string;
  role: 'Admin' | 'User' | 'Provider';
  /** An Admin of the account that runs the installation (level ServiceAccount). */
  isOperator: boolean;
};

declare module 'fastify' {
  interface FastifyRequest {
    identity: Identity;
  }
}
