import { type DeliveryState, NAMES, type Side } from "./delivery-model-state.ts";
import { PartNumbers } from "./part-numbers.ts";

/** A state on one line. */
export function deliveryText(state: DeliveryState): string {
  const { moves, sent, expired, ran, heard } = state;
  const shards = `sender ${sidesText(state.sender)} | receiver ${sidesText(state.receiver)}`;
  const history = `sent ${sent}${expired ? ", 1 has expired" : ""}, ran "${ran}", heard "${heard}"`;
  return `${shards} | ${movesText(moves)}${handedText(state)} | ${heldText(state.held)} | ${history}${lateText(state)}`;
}

/** Keys of states: a few characters, each the number of a part that was seen before. */
export function deliveryKey(): (state: DeliveryState) => string {
  const numbers = new PartNumbers();
  const sender = numbers.remembered(sidesText);
  const receiver = numbers.remembered(sidesText);
  const held = numbers.remembered(heldText);
  const moves = numbers.remembered(movesText);
  return (state) => {
    const { sent, expired, ran, heard } = state;
    const rest = numbers.of(`${handedText(state)};${lateText(state)};${sent}${expired};${ran};${heard}`);
    return String.fromCharCode(
      sender(state.sender),
      receiver(state.receiver),
      held(state.held),
      moves(state.moves),
      rest,
    );
  };
}

function sidesText(sides: readonly [Side, Side]): string {
  return sides.map((side, at) => `${NAMES[at]} ${sideText(side)}`).join(" ");
}

function sideText({ record, rows }: Side): string {
  const own = record?.state;
  const known = own === undefined ? "new" : `${own.kind} e${own.epoch}${"move" in own ? ` m${own.move}` : ""}`;
  return `${known} seen ${record?.seen ?? 0} "${rows.outbox};${rows.told};${rows.calls}"`;
}

function heldText(held: DeliveryState["held"]): string {
  return `held ${held.map((messages) => messages.join("")).join(" ")}`;
}

function movesText({ sender, receiver }: DeliveryState["moves"]): string {
  return `moves ${sender} ${receiver}`;
}

function handedText({ handed }: DeliveryState): string {
  return handed.length === 0 ? "" : `, handed over: ${handed.join()}`;
}

function lateText({ late }: DeliveryState): string {
  return late === null ? "" : `, on its way: ${late.step} ${late.call} ${late.outcome}`;
}
