/** The examples of `bundles/`, put into the page when it is built; see `vite.config.ts`. */
declare module "virtual:examples" {
  export const examples: readonly {
    readonly name: string;
    /** The manifest's file name. */
    readonly file: string;
    readonly manifest: string;
    /** Items, a JSON value a line; empty where the example has a WAV file. */
    readonly input: string;
    readonly hasPython: boolean;
  }[];
}
