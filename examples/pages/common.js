import { createClient } from "./client.js";

/** @returns the element with this id */
export const $ = (id) => document.getElementById(id);

let opened = () => {};
/** The first connection is there. */
const connected = new Promise((resolve) => {
  opened = resolve;
});

export const client = createClient({
  onStatus(status) {
    $("status").textContent = status;
    if (status === "open") opened();
  },
});

/** Shows what went wrong; without an error nothing. */
export function problem(error) {
  $("problem").textContent = error?.message ?? "";
}

/** What the page's address says after `?`; otherwise `usual`, which it says from now on. */
export function parameter(name, usual) {
  const address = new URL(location.href);
  const given = address.searchParams.get(name) || usual;
  address.searchParams.set(name, given);
  history.replaceState(null, "", address);
  return given;
}

/** A name that nothing has yet. */
export const newName = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(5)), (byte) => byte.toString(36)).join("");

/** Runs `action` with what a form holds, once at a time, and shows why it could not. */
export function onSubmit(form, action) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    if (button.disabled) return;
    button.disabled = true;
    await attempt(() => action(Object.fromEntries(new FormData(form))));
    button.disabled = false;
  });
}

/** Runs `action`, and shows why it could not. */
export async function attempt(action) {
  problem();
  try {
    await action();
  } catch (error) {
    problem(error);
  }
}

/**
 * Follows an object: `load` asks for it when the page listens, and again when something may be missing; `hear` gets what it
 * tells in between.
 */
export function follow(topic, load, hear) {
  const again = () => attempt(load);
  client.subscribe(topic, hear, { onGap: again, onError: problem });
  connected.then(again); // Not before: what changed after the answer, and before the page listens, would be missing.
}
