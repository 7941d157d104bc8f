/** What a page downloads for its worker while that starts, on the worker's side: each thing is taken once, by its address. */

interface Coming {
  readonly there: Promise<unknown>;
  readonly resolve: (value: unknown) => void;
}

const coming = new Map<string, Coming>();

/** The page is downloading what is at an address. */
export function expect(address: string): void {
  let resolve: Coming["resolve"] = () => undefined;
  const there = new Promise((done) => (resolve = done));
  coming.set(address, { there, resolve });
}

/** The page has it, or could not get it and gives nothing. */
export function give(address: string, value: unknown): void {
  coming.get(address)?.resolve(value);
}

/** What the page downloads from an address, if it does and can. Whoever gets nothing has to download it. */
export async function taken<T>(address: string): Promise<T | undefined> {
  const value = await coming.get(address)?.there;
  coming.delete(address);
  return value as T | undefined;
}
