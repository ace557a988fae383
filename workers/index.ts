import { defineHost } from "edgeverse/cloudflare";
import { probes } from "edgeverse/verify";
import { ChatRoom } from "../examples/chat-room.ts";
import { Counter } from "../examples/counter.ts";
import { Journal } from "../examples/journal.ts";
import { Wallet } from "../examples/wallet.ts";

const host = defineHost({ objects: [Counter, Wallet, ChatRoom, Journal, ...probes] });

export default host.worker;
export const { Partition, Coordinator } = host;
