// Light or dark, decided before the first paint so that nothing flashes. A classic script for that reason.
// Without a choice the page follows the system; a choice is kept in localStorage as "light" or "dark".
(() => {
  const key = "repartee.theme";
  const system = matchMedia("(prefers-color-scheme: dark)");
  const root = document.documentElement;

  const stored = () => {
    try { return localStorage.getItem(key); } catch { return null; }
  };
  const store = (choice) => {
    try { choice ? localStorage.setItem(key, choice) : localStorage.removeItem(key); } catch { /* private mode */ }
  };
  const isDark = () => root.dataset.theme ? root.dataset.theme === "dark" : system.matches;

  const choice = stored();
  if (choice === "light" || choice === "dark") root.dataset.theme = choice;

  document.addEventListener("DOMContentLoaded", () => {
    const button = document.getElementById("theme-button");
    const label = () => {
      const text = isDark() ? "Switch to light" : "Switch to dark";
      button.setAttribute("aria-label", text);
      button.title = text;
      root.classList.toggle("is-dark", isDark());
    };
    button.addEventListener("click", () => {
      const next = isDark() ? "light" : "dark";
      const followsSystem = (next === "dark") === system.matches;
      if (followsSystem) delete root.dataset.theme; else root.dataset.theme = next;
      store(followsSystem ? null : next);
      label();
    });
    system.addEventListener("change", label);
    label();
  });
})();
