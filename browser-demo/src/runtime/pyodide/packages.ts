/** Packages that come with Pyodide: a bundle's lock file names them, and a folder of the page has their files. */
import { PipelineError } from "../errors.ts";
import { once } from "../once.ts";
import { fetchChecked, type Tally } from "../download.ts";
import type { LoadedPackage } from "./start.ts";

/** A package of a lock file, as far as it is looked at. */
export interface Locked {
  readonly name: string;
  readonly version: string;
  readonly file_name: string;
  readonly sha256: string;
}

/** Where to look, and for which Pyodide. */
interface Place {
  /** The folder, with a final slash. */
  readonly folder: string;
  readonly version: string;
}

/** Download them, side by side. Rejects with a `load` error that says which file is wanted from where. */
export function fetchPackages(packages: readonly Locked[], place: Place, tally: Tally): Promise<LoadedPackage[]> {
  return Promise.all(packages.map((each) => fetchPackage(each, place, tally)));
}

async function fetchPackage(
  { name, version, file_name: file, sha256 }: Locked,
  { folder, version: pyodide }: Place,
  tally: Tally,
): Promise<LoadedPackage> {
  // It is put behind the folder's address, and must not lead out of it.
  if (!/^\w[\w.+-]*$/.test(file)) {
    throw new PipelineError("bundle", `the package ${name} has the file \`${file}\`, which is not the name of a file`, {
      hint: "pack it again with the rm-pack of this version",
    });
  }
  const address = new URL(file, folder);
  const from = `${file} is in the full distribution of Pyodide ${pyodide}, under its releases`;
  const bytes = await once(`${address.href} ${sha256}`, () =>
    fetchChecked(
      address,
      {
        sha256,
        name: `the package ${name} ${version} of Pyodide, at ${address.href},`,
        meant: "the one that the bundle was packed for",
        absent: `${from}; put it into the folder ${folder}, or name the folder that has it as pyodidePackagesURL`,
        other: `${from}; put that one into the folder ${folder}, or pack again for the Pyodide that the page has`,
      },
      tally,
    ),
  );
  return { name, file, bytes };
}
