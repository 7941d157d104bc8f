import type { Plugin } from "vite";

/** What a page's build needs for this package. Throws if the executor was not built. */
export function remotemedia(): Plugin;
