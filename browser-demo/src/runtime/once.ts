/** What was asked for in this thread, by its key. */
const known = new Map<string, Promise<unknown>>();

/** What `make` makes, once; again only if it failed, for another attempt may fare better. */
export function once<T>(key: string, make: () => Promise<T>): Promise<T> {
  const asked = known.get(key);
  if (asked !== undefined) return asked as Promise<T>;
  const made = make();
  known.set(key, made);
  made.catch(() => known.delete(key));
  return made;
}
