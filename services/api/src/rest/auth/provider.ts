/** Whoever vouches for people elsewhere, as the REST API asks them. One for each header of the reference (2.2). */

/** Somebody whom a provider knows. `id` stays theirs; the e-mail is one that the provider has verified. */
export type Identified = { id: string; email: string };

export interface IdentityProvider {
  /**
   * @returns undefined where the token is wrong, too old, of another client, or its e-mail is not verified
   * @throws ProviderAway
   */
  identify(token: string): Promise<Identified | undefined>;
}

/** The provider can't be asked, so nobody can say whether the token is right. */
export class ProviderAway extends Error {
  override name = 'ProviderAway';
}

/** Those that are set up. */
export type Providers = { google?: IdentityProvider; facebook?: IdentityProvider };
