import { $, attempt, client, newName, onSubmit, parameter, watch } from "./common.js";

const id = parameter("game", newName());
const game = client.object("TicTacToe", id, { reliable: true }); // A move counts once.
const cells = Array.from({ length: 9 }, (_, cell) => {
  const button = document.createElement("button");
  button.type = "button";
  button.addEventListener("click", () => attempt(async () => show(await game.play({ player: me, cell }))));
  return button;
});
let me;
let shown = -1;

$("board").append(...cells);
$("link").href = location.href;

function show({ players, board, status, winner, next }) {
  const taken = board.filter((mark) => mark !== null).length;
  const news = players.length + taken; // It only grows: an answer may come after a newer message.
  if (news < shown) return;
  shown = news;
  for (const [cell, button] of cells.entries()) {
    button.textContent = board[cell] ?? "";
    button.ariaLabel = `Row ${Math.floor(cell / 3) + 1}, column ${(cell % 3) + 1}: ${board[cell] ?? "free"}`;
    button.disabled = status !== "running" || next !== me || board[cell] !== null;
  }
  const [x = "…", o = "…"] = players;
  $("players").textContent = `X: ${x} · O: ${o}`;
  $("join").hidden = me !== undefined || players.length === 2;
  $("turn").textContent = {
    waiting: "Waiting for two players",
    running: next === me ? "Your turn" : `It is the turn of ${next}`,
    won: winner === me ? "You have won" : `${winner} has won`,
    drawn: "A draw",
  }[status];
}

watch("TicTacToe", id, show, { players: [], board: cells.map(() => null), status: "waiting" });

onSubmit($("join"), async ({ name }) => {
  const view = await game.join({ player: name });
  me = name;
  show(view);
});
