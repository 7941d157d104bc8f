// A static server with the headers that the page needs in production; `headers` is what to give any other server.
import { createReadStream, existsSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize, resolve, sep } from "node:path";

const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
  ".wav": "audio/wav",
  ".rmpkg": "application/octet-stream",
};

/** Scripts of the page's own only, no code from text, and WebAssembly; nothing from elsewhere, in nobody's frame. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self'",
  "connect-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "media-src 'self' blob:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** The headers of a file, by its path. */
export function headers(path) {
  // The name of what the build and rm-pack write holds a hash of its contents.
  const isImmutable =
    (/[-.][\w-]{8,}\.(js|css|wasm|svg)$/.test(path) && path.includes(`${sep}assets${sep}`)) ||
    /-[0-9a-f]{16}\.rmpkg$|-web[\\/][0-9a-f]{16}\.wasm$/.test(path);
  return {
    "content-type": TYPES[extname(path)] ?? "application/octet-stream",
    "cache-control": isImmutable ? "public, max-age=31536000, immutable" : "no-cache",
    "content-security-policy": POLICY,
    // Alone in its process, which also lets clocks be finer.
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "microphone=(self), camera=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
  };
}

/** Serve a folder; resolves to the server's address, what was asked for so far, and a way to end it. */
export async function serve(folder, port = 0) {
  const root = resolve(folder);
  const requests = [];
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    requests.push(pathname);
    let path;
    try {
      path = normalize(join(root, decodeURIComponent(pathname)));
    } catch {
      path = "";
    }
    if (path.endsWith(sep)) path = join(path, "index.html");
    if (!path.startsWith(root + sep) || !existsSync(path) || !statSync(path).isFile()) {
      response.writeHead(404, { "content-type": "text/plain; charset=utf-8" }).end("not found");
    } else if (request.method !== "GET" && request.method !== "HEAD") {
      response.writeHead(405, { allow: "GET, HEAD" }).end();
    } else {
      // What `rm-pack build --brotli` puts beside a file is the same, smaller.
      const isCompressed = existsSync(`${path}.br`);
      const takesBrotli = /\bbr\b/.test(request.headers["accept-encoding"] ?? "");
      const sent = isCompressed && takesBrotli ? `${path}.br` : path;
      response.writeHead(200, {
        ...headers(path),
        "content-length": statSync(sent).size,
        ...(isCompressed && { vary: "accept-encoding" }),
        ...(sent !== path && { "content-encoding": "br" }),
      });
      if (request.method === "HEAD") response.end();
      else createReadStream(sent).pipe(response);
    }
  });
  await new Promise((done) => server.listen(port, "127.0.0.1", done));
  return {
    address: `http://127.0.0.1:${server.address().port}/`,
    requests,
    close: () => new Promise((done) => server.close(done)),
  };
}
