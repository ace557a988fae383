/** Ways to get a delivery wrong. Each must be found out. */
export const DELIVERY_FLAWS = {
  "left-early": "a message leaves before its turn is durable",
  "removed-early": "a message is removed as it is sent, not as it is accepted",
  "another-id": "a message is sent again under another id",
  "side-by-side": "the second message leaves while the first is in line",
  "accepted-is-ended": "what was accepted is taken for ended",
  "moved-is-accepted": "a redirection is taken for the receiver's word",
  untold: "a message is removed when its outcome is known, not when the sender has it",
  "told-anew": "an outcome is told under a new id each time",
  "unread-after-crash": "messages are not read again",
  "left-lying": "what has come with a shard is left lying",
  "new-before-read": "a new message is taken in while one before it is only in the table",
  "first-let-go": "of the messages in memory the first makes room, not the last",
  "messages-left": "messages do not move with their shard",
  "call-marks-left": "the receiver's marks do not move with their shard",
  "outcome-marks-left": "the sender's marks do not move with their shard",
  "goes-on": "a shard that is handed over goes on sending and writing",
} as const;

export type DeliveryFlaw = keyof typeof DELIVERY_FLAWS;
