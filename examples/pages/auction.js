import { $, client, newName, onSubmit, parameter, problem, watch } from "./common.js";

const id = parameter("auction", "vase");
const auction = client.object("Auction", id, { reliable: true }); // A bid is made once.
let me;
let auctionNow;

$("thing").textContent = id;
$("another").href = `?auction=${newName()}`;

const money = (amount) => amount.toLocaleString("en");

function show(view) {
  const before = auctionNow;
  auctionNow = view;
  const { status, best, asked } = view;
  if (best !== null && best.amount !== before?.best?.amount) {
    const item = document.createElement("li");
    item.textContent = `${best.bidder} bids ${money(best.amount)}`;
    $("bids").prepend(item);
  }
  const offer = best === null ? "No bid yet" : `${best.bidder} bids ${money(best.amount)}`;
  const end = best === null ? "Closed without a bid" : `Sold to ${best.bidder} for ${money(best.amount)}`;
  $("best").textContent = { new: "Not open yet", open: offer, closed: end }[status];
  $("open").hidden = status !== "new";
  $("bid").hidden = status !== "open" || me === undefined;
  $("bid").amount.min = (best?.amount ?? 0) + 1;
  showTime();
  if (me !== undefined && before !== undefined) showMine(before, best, asked);
}

/** What became of this page's own bids and money. */
function showMine(before, best, asked) {
  const open = new Set(asked.map(({ callId }) => callId));
  const done = before.asked.filter(({ bidder, callId }) => bidder === me && !open.has(callId));
  const failed = done.find(({ amount }) => best?.bidder !== me || best.amount !== amount);
  if (failed !== undefined) problem({ message: `Your bid of ${money(failed.amount)} was not paid, or too late` });
  const outbid = before.best?.bidder === me && best.amount !== before.best.amount;
  if (outbid || done.length > 0) showWallet(outbid ? 10 : 0);
}

function showTime() {
  const { status, endsAt } = auctionNow ?? {};
  const left = Math.max(0, Math.ceil((endsAt - Date.now()) / 1_000));
  $("ends").textContent = status === "open" ? `Ends in ${Math.floor(left / 60)} min ${left % 60} s` : "";
}
setInterval(showTime, 1_000);

/** @param patience how often to look again for a change: who was outbid has the money back a little later */
async function showWallet(patience) {
  const { balance } = await client.object("Wallet", me).getBalance(undefined, { repeat: true });
  const text = `${me} has ${money(balance)} left`;
  if (patience > 0 && text === $("wallet").textContent) setTimeout(showWallet, 300, patience - 1);
  $("wallet").textContent = text;
}

watch("Auction", id, show, { status: "new", best: null, asked: [] });

onSubmit($("open"), async ({ seconds }) => {
  await auction.open({ seller: "gallery", seconds: Number(seconds) });
});

onSubmit($("enter"), async ({ name }) => {
  // By its call id, everybody gets this once, however often they come.
  await client.object("Wallet", name).deposit({ amount: 1_000 }, { callId: `welcome-${name}` });
  me = name;
  $("enter").hidden = true;
  if (auctionNow !== undefined) show(auctionNow);
  await showWallet(0);
});

onSubmit($("bid"), async ({ amount }) => {
  await auction.bid({ bidder: me, amount: Number(amount) });
  $("bid").reset();
});
