import { DurableObject } from "cloudflare:workers";
import { EdgeverseError } from "../src/errors/edgeverse-error.ts";
import { type Authenticator, authentication } from "../src/http/authentication.ts";
import { clientName } from "../src/limits/client-name.ts";
import type { Limits } from "../src/limits/limits-schema.ts";
import type { Registry } from "../src/object/registry.ts";
import { isUnused } from "../src/platform/is-unused.ts";
import type { Clock } from "../src/platform/ports.ts";
import type { DisconnectCall } from "../src/push/farewells.ts";
import { PING, PONG, PROTOCOL } from "../src/push/frames.ts";
import { Gate } from "../src/push/gate.ts";
import { type GateStatus, UNUSED_GATE } from "../src/push/gate-status.ts";
import type { PushMessage } from "../src/push/message-log.ts";
import { openStream, type StreamRequest } from "../src/push/open-stream.ts";
import type { WireNote } from "../src/push/ports.ts";
import type { PresenceMessage, PresencePeers, PresenceReceipt } from "../src/push/presence-note.ts";
import type { PushRules } from "../src/push/push-rules.ts";
import { clientLimits } from "../src/router/client-limits.ts";
import { LiveOwners } from "../src/router/live-owners.ts";
import type { LiveChange, LiveReceipt } from "../src/router/live-views.ts";
import { Router } from "../src/router/router.ts";
import type { VersionedDocument } from "../src/settings/document.ts";
import type { Confirmation } from "../src/settings/live-settings.ts";
import { consoleObserver, filtered } from "./console-observer.ts";
import { DurableStorage } from "./durable-storage.ts";
import { deploymentOf, type Env } from "./environment.ts";
import { type GateRpc, visitorOf } from "./gate-rpc.ts";
import { clock, durableClock, oneTimer, random } from "./platform.ts";
import { SocketWire } from "./socket-wire.ts";

export type GateClass = new (ctx: DurableObjectState, env: Env) => DurableObject<Env> & GateRpc;

export interface GateParts {
  readonly registry: Registry;
  readonly rules: PushRules;
  readonly disconnect: DisconnectCall | undefined;
  readonly authenticators: readonly Authenticator[];
  readonly limits: Limits;
}

export function gateClass({ registry, rules, disconnect, authenticators, limits }: GateParts): GateClass {
  return class GateDurableObject extends DurableObject<Env> implements GateRpc {
    readonly #wires = new WeakMap<WebSocket, SocketWire>();
    readonly #clock: Clock;
    #made: Gate | undefined;

    constructor(ctx: DurableObjectState, env: Env) {
      super(ctx, env);
      this.#clock = oneTimer(durableClock(ctx.storage));
      ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair(PING, PONG));
    }

    /** Made when it is first needed: it makes its tables, and takes up the connections that have outlasted its memory. */
    get #gate(): Gate {
      if (this.#made !== undefined) return this.#made;
      const { ctx } = this;
      const { settings, connect, cache, coordinator, gates } = deploymentOf(this.env);
      const live = settings(registry);
      const authenticate = authentication(authenticators, this.env, clock);
      const router = new Router({ registry: live.registry, connect, cache, clock });
      const background = (work: Promise<void>) => ctx.waitUntil(work);
      const clients = clientLimits({ limits, settings: live, router, connect, clock, background });
      const made = new Gate({
        name: ctx.id.name,
        storage: new DurableStorage(ctx.storage),
        clock: this.#clock,
        random,
        rules,
        settings: live,
        config: live.config,
        askSettings: (known) => coordinator().newerSettings(known),
        disconnect,
        registry: live.registry,
        live: new LiveOwners({ router, connect, clock }),
        gates: gates as PresencePeers, // There is the binding: it made this object.
        call: (message) => router.call(message),
        calls: {
          registry: live.registry,
          charge({ identity, origin }, type, method) {
            const name = identity === null ? origin : clientName(identity, undefined);
            if (name !== undefined && !clients.isEmpty) clients.take(name, identity ?? undefined, type, method);
          },
          batch: (...calls) => router.batch(...calls),
          withdraw: (messages) => router.withdraw(messages),
        },
        identify: async (token) => {
          const headers = { authorization: `Bearer ${token}` };
          return (await authenticate?.(new Request("https://gate/token", { headers }))) ?? null;
        },
        hold: (work) => ctx.waitUntil(work),
        warn: filtered(consoleObserver, live).warn,
        onLost: (error) => ctx.abort(String(error)),
      });
      this.#made = made;
      made.restore(
        ctx.getWebSockets().flatMap((socket) => {
          const note = socket.deserializeAttachment() as WireNote | null;
          return note === null ? [] : [[this.#wire(socket), note] as const];
        }),
      );
      return made;
    }

    override alarm(): Promise<void> {
      return this.#gate.wake();
    }

    deliver(messages: readonly PushMessage[]): Promise<void> {
      return this.#gate.deliver(messages);
    }

    /** Looking at a gate leaves nothing in it. */
    async status(): Promise<GateStatus> {
      if (this.#made === undefined && isUnused(new DurableStorage(this.ctx.storage))) return UNUSED_GATE;
      return this.#gate.stats;
    }

    async revoke(credentials: readonly string[]): Promise<void> {
      this.#gate.revoke(credentials);
    }

    configure(offer: VersionedDocument): Promise<Confirmation> {
      return this.#gate.settings.take(offer);
    }

    async live(from: string, changes: readonly LiveChange[] | null): Promise<LiveReceipt> {
      return this.#gate.live.changed(from, changes);
    }

    presence(message: PresenceMessage): Promise<PresenceReceipt> {
      return this.#gate.presence.received(message);
    }

    override async fetch(request: Request): Promise<Response> {
      const gate = this.#gate;
      const visitor = visitorOf(request);
      try {
        if (request.method === "POST") {
          const wanted = (await request.json()) as StreamRequest;
          return new Response(await openStream(gate, wanted, visitor, { clock: this.#clock, random }));
        }
        gate.checkRoom(visitor.client, visitor.origin);
      } catch (error) {
        return Response.json(EdgeverseError.from(error).toWire(), { status: 503 });
      }
      const { 0: client, 1: server } = new WebSocketPair();
      this.ctx.acceptWebSocket(server, [visitor.origin]);
      gate.open(this.#wire(server), visitor.identity, visitor.expires, visitor.credential);
      return new Response(null, { status: 101, webSocket: client, headers: { "sec-websocket-protocol": PROTOCOL } });
    }

    override async webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
      const gate = this.#gate;
      const wire = this.#wire(socket);
      wire.heard(Date.now());
      await gate.received(wire, message);
    }

    override webSocketClose(socket: WebSocket, code: number): void {
      const gate = this.#gate;
      gate.closed(this.#wire(socket));
      // 1005 and 1006 say how it ended; they can't be sent.
      this.#wire(socket).close(code === 1005 || code === 1006 ? 1000 : code, "");
    }

    override webSocketError(socket: WebSocket): void {
      this.#gate.closed(this.#wire(socket));
    }

    #wire(socket: WebSocket): SocketWire {
      let wire = this.#wires.get(socket);
      if (wire === undefined) {
        const pingedAt = () => this.ctx.getWebSocketAutoResponseTimestamp(socket)?.getTime();
        wire = new SocketWire(socket, Date.now(), pingedAt, this.ctx.getTags(socket)[0]);
        this.#wires.set(socket, wire);
      }
      return wire;
    }
  };
}
