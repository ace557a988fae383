import { WorkerEntrypoint } from "cloudflare:workers";

export default class Other extends WorkerEntrypoint<{ readonly NAME: string }> {
  override fetch(): Response {
    return new Response(this.env.NAME);
  }

  sum(one: number, two: number): number {
    return one + two;
  }
}
