import { $, client, follow, onSubmit, parameter } from "./common.js";

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

function showMembers(members) {
  $("members").textContent = members.join(", ") || "nobody";
}

async function load() {
  const { lines, said, members } = await room.history(undefined, { repeat: true, reliable: false });
  showMembers(members);
  for (const [index, line] of lines.entries()) showLine(said - lines.length + index + 1, line);
}

follow(`room/${id}`, load, ({ members, number, line }) => {
  if (members !== undefined) showMembers(members);
  else showLine(number, line);
});

onSubmit($("join"), async ({ name }) => {
  showMembers((await room.join({ name })).members);
  me = name;
  $("join").hidden = true;
  $("say").hidden = false;
  $("say").text.focus();
});

onSubmit($("say"), async ({ text }) => {
  await room.say({ name: me, text });
  $("say").reset();
});
