/**
 * What a page downloads for its worker while that starts, on the page's side: of a pipeline that will be loaded from a folder the
 * index, the bundle, and the engine that its Python nodes need. Where the page fails, the worker tries for itself, and says what
 * is wrong.
 */
import type { Progress } from "./code.ts";
import { candidates, type FolderSource, folderURL, indexAddress, readIndex } from "./folder.ts";
import type { Ahead } from "./protocol.ts";
import { type Engine, engineAddress, engineAt } from "./web/engine.ts";

/** Gives the worker something. */
type Give = (ahead: Ahead, moved?: Transferable[]) => void;

/**
 * Download what a pipeline needs, and give each part as soon as it is there. Gives the addresses of what is downloaded, that of
 * the engine's folder with a final slash.
 */
export async function downloadAhead(
  source: FolderSource,
  give: Give,
  onProgress?: (progress: Progress) => void,
): Promise<readonly string[]> {
  const index = indexAddress(source);
  const giveWhenThere = <T extends ArrayBuffer | Engine>(address: string, there: Promise<T>) => {
    there.then(
      (value) => {
        give({ address, value }, value instanceof ArrayBuffer ? [value] : []);
      },
      () => {
        give({ address });
      },
    );
  };
  try {
    const value = await readIndex(source);
    const [{ address, bytes, choice, engine, engineFiles: files = [] }] = candidates(value, source);
    if (engine === undefined || choice.target !== "web") {
      give({ address: index, value, coming: [address] });
      giveWhenThere(address, bytes());
      return [index, address];
    }
    const folder = engineAddress(engine, folderURL(source.folder));
    give({ address: index, value, coming: [address, folder] });
    giveWhenThere(address, bytes());
    giveWhenThere(folder, engineAt(folder, engine, { files, ...(onProgress && { onProgress }) }));
    return [index, address, folder];
  } catch {
    give({ address: index });
    return [index];
  }
}
