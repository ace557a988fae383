import { $, client, onSubmit, parameter, problem, watch } from "./common.js";

const id = parameter("room", "lobby");
const room = client.object("ChatRoom", id, { reliable: true }); // What is said once is never said twice.
const lines = new Map();
let me;

$("room").textContent = id;

function showLine(number, { from, text, at }) {
  if (lines.has(number)) return;
  const item = document.createElement("li");
  const who = document.createElement("strong");
  who.textContent = `${from}: `;
  item.append(who, text);
  item.title = new Date(at).toLocaleString();
  lines.set(number, item);
  const next = [...lines.keys()].filter((other) => other > number);
  $("lines").insertBefore(item, next.length === 0 ? null : lines.get(Math.min(...next)));
  $("lines").scrollTop = $("lines").scrollHeight;
}

watch(
  "ChatRoom",
  id,
  ({ members, lines, said }) => {
    $("members").textContent = members.join(", ") || "nobody";
    for (const [index, line] of lines.entries()) showLine(said - lines.length + index + 1, line);
  },
  { members: [], lines: [], said: 0 },
);

client.subscribe(`room/${encodeURIComponent(id)}`, () => {}, {
  onPresence({ count }) {
    $("here").textContent = count < 2 ? "only you" : count === 2 ? "you and one other" : `you and ${count - 1} others`;
  },
  onError: problem,
});
// Others are told at once; without it ten seconds later.
addEventListener("pagehide", ({ persisted }) => persisted || client.close());

onSubmit($("join"), async ({ name }) => {
  await room.join({ name });
  me = name;
  $("join").hidden = true;
  $("say").hidden = false;
  $("say").text.focus();
});

onSubmit($("say"), async ({ text }) => {
  await room.say({ name: me, text });
  $("say").reset();
});
