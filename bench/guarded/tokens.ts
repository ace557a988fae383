/** What tokens of the benchmark are signed with. It protects nothing. */
export const SECRET = "the benchmark signs with this, and protects nothing";
export const ISSUER = "https://bench.test";
export const AUDIENCE = "bench";
