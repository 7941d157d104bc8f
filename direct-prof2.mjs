import { readFileSync, writeFileSync } from "node:fs";
let src = readFileSync("/tmp/callp/direct.mjs", "utf8");
src = src.replace("console.log(JSON.stringify(await page.evaluate(run, { file })));", `
const cdp = await page.context().newCDPSession(page);
await cdp.send("Profiler.enable"); await cdp.send("Profiler.setSamplingInterval", { interval: 200 });
await cdp.send("Profiler.start");
console.log(JSON.stringify(await page.evaluate(run, { file })));
const { profile } = await cdp.send("Profiler.stop");
const { writeFileSync } = await import("node:fs");
writeFileSync("/tmp/callp/p.cpuprofile", JSON.stringify(profile));
`).replace("[1, 200, 1000, 3000, 3000, 10000, 10000]","[1, 200, 1000, 3000, 3000, 10000, 10000, 20000]");
writeFileSync("/tmp/callp/direct-prof.mjs", src);
