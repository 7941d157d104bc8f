// `npm run serve`: the built page, with the headers of production.
import { existsSync } from "node:fs";
import { serve } from "./server.mjs";

const folder = process.argv[2] ?? "dist";
if (!existsSync(`${folder}/index.html`)) {
  console.error(`error: there is no page in ${folder}\n  hint: build it with \`npm run wasm\` and \`npm run build\``);
  process.exit(1);
}
const { address } = await serve(folder, Number(process.env.PORT ?? 4173));
console.log(address);
