/** `edgeverse/react`: objects in React components. */
import { useMemo, useSyncExternalStore } from "react";
import type { Client } from "./client.ts";
import type { ClientError } from "./client-error.ts";
import type { ClassByType, RemoteObject, StateOf, TypeName } from "./types.ts";

/** What is known of an object that is watched. */
interface View<State> {
  /** Undefined until it is known, and while there is no such object. */
  readonly state: State | undefined;
  /** `loading`: nothing is known yet. `gone`: there is no such object. `failed`: it can't be watched, `error` says why. */
  readonly status: "loading" | "live" | "gone" | "failed";
  readonly error: ClientError | undefined;
}

/** An object, as a component has it: what is known of it, and its methods. */
export interface LiveObject<App, Type> extends View<StateOf<ClassByType<App, Type>>> {
  readonly object: RemoteObject<ClassByType<App, Type>>;
}

/**
 * Renders the component again whenever the object's state changes. Components that use the same object share one watch.
 *
 * @param client the same one at each render: made outside components, or with `useMemo`
 * @example
 * const { state, object } = useObject(client, "Counter", "visits");
 * return <button onClick={() => object.add({ by: 1 }, { reliable: true })}>{state?.value ?? "…"}</button>;
 */
export function useObject<App, Type extends TypeName<App>>(
  client: Client<App>,
  type: Type,
  id: string,
): LiveObject<App, Type> {
  const source = useMemo(() => sourceOf(client, type, id), [client, type, id]);
  const view = useSyncExternalStore(source.subscribe, source.view, source.view);
  const object = useMemo(() => client.object(type, id), [client, type, id]);
  return useMemo(() => ({ ...view, object }), [view, object]);
}

function sourceOf<App, Type extends TypeName<App>>(client: Client<App>, type: Type, id: string) {
  type State = StateOf<ClassByType<App, Type>>;
  let view: View<State> = { state: undefined, status: "loading", error: undefined };
  return {
    view: () => view,
    subscribe(onChange: () => void): () => void {
      const show = (next: View<State>) => {
        view = next;
        onChange();
      };
      const onState = (state: State | undefined) =>
        show({ state, status: state === undefined ? "gone" : "live", error: undefined });
      const onError = (error: ClientError) => show({ state: view.state, status: "failed", error });
      return client.watch(type, id, onState, { onError });
    },
  };
}
