/** The theme: light or dark, as the system says until somebody chooses. */
import { setAttributes } from "./element.js";

const storageKey = "ring-theme";

/** @param {HTMLButtonElement} button changes between light and dark */
export function startTheme(button) {
  const system = matchMedia("(prefers-color-scheme: dark)");
  let chosen = remembered();
  const isDark = () => chosen === undefined ? system.matches : chosen === "dark";
  const show = () => {
    // Without it the style sheet asks the system itself.
    setAttributes(document.documentElement, { "data-theme": chosen ?? false });
    setAttributes(button, { "aria-pressed": `${isDark()}` });
  };
  button.addEventListener("click", () => {
    chosen = isDark() ? "light" : "dark";
    remember(chosen);
    show();
  });
  system.addEventListener("change", show);
  show();
}

/** What was chosen before; a browser may refuse to say. */
function remembered() {
  try {
    return localStorage.getItem(storageKey) ?? undefined;
  } catch (error) {
    if (error instanceof DOMException) return undefined;
    throw error;
  }
}

/** @param {string} theme */
function remember(theme) {
  try {
    localStorage.setItem(storageKey, theme);
  } catch (error) {
    // It holds for this page, then.
    if (!(error instanceof DOMException)) throw error;
  }
}
