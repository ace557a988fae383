/** The platform's classes inside workerd; `cloudflare.node.ts` stands in elsewhere, so that the package can be imported. */
export { DurableObject } from "cloudflare:workers";
