import { createClient } from "./client.js";

/** @returns the element with this id */
export const $ = (id) => document.getElementById(id);

export const client = createClient({
  onStatus(status) {
    $("status").textContent = status;
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

/** Shows an object's state, now and whenever it has changed. Before anybody has called it, it has `none`. */
export function watch(type, id, show, none) {
  client.watch(type, id, (state) => show(state ?? none), { onError: problem });
}
