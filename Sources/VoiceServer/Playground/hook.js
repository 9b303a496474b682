// For tests only: `window.__repartee`, a read-only view of what the page believes. Nothing in the page depends on it, and
// it may change with the page. docs/playground.md lists its fields.
export function installHook(read) {
  const hook = {};
  for (const [name, get] of Object.entries(read)) Object.defineProperty(hook, name, { get, enumerable: true });
  Object.defineProperty(window, "__repartee", { value: Object.freeze(hook) });
}
